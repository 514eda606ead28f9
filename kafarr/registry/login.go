package registry

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
)

// applyLogin decides how requests identify themselves and checks that what this needs is there. The Go client
// demands the credentials' source to be named; Confluent's other clients infer it, and so do we. config's
// sources hold what the client is to do afterwards.
func applyLogin(config *schemaregistry.Config, user *url.Userinfo, transport http.RoundTripper) *ConfigError {
	basic := strings.ToUpper(config.BasicAuthCredentialsSource)
	bearer := strings.ToUpper(config.BearerAuthCredentialsSource)
	if basic == "" && config.BasicAuthUserInfo != "" {
		basic = "USER_INFO"
	}
	if bearer == "" {
		switch {
		case config.BearerAuthToken != "":
			bearer = "STATIC_TOKEN"
		case config.BearerAuthIssuerEndpointURL != "":
			bearer = "OAUTHBEARER"
		}
	}
	if user != nil {
		if basic == "USER_INFO" {
			return configErrorf("basic.auth.user.info", "the URL holds a user as well: give one of them")
		}
		if basic == "" {
			basic = "URL"
		}
	}
	if basic != "" && bearer != "" {
		return configErrorf("bearer.auth.credentials.source",
			"both a basic login (%s) and a bearer token (%s) are configured: give one of them", basic, bearer)
	}
	config.BasicAuthCredentialsSource, config.BearerAuthCredentialsSource = basic, bearer
	if basic != "" {
		return applyBasic(config, basic, user)
	}
	return applyBearer(config, bearer, transport)
}

func applyBasic(config *schemaregistry.Config, source string, user *url.Userinfo) *ConfigError {
	switch source {
	case "URL":
		if user == nil {
			return configErrorf("basic.auth.credentials.source", "is URL, but the URL holds no user")
		}
		// As USER_INFO, because the client would send user and password as they are escaped in the URL.
		password, _ := user.Password()
		config.BasicAuthUserInfo = user.Username() + ":" + password
		config.BasicAuthCredentialsSource = "USER_INFO"
	case "USER_INFO":
		if !strings.Contains(config.BasicAuthUserInfo, ":") {
			return configErrorf("basic.auth.user.info", "is not of the form user:password")
		}
	case "SASL_INHERIT":
		// GSSAPI is the client's default, so it stands for "not given" too.
		if strings.EqualFold(config.SaslMechanism, "GSSAPI") {
			return configErrorf("sasl.mechanism", "must be PLAIN or SCRAM for basic.auth.credentials.source=SASL_INHERIT")
		}
		if config.SaslUsername == "" {
			return configErrorf("sasl.username", "is needed for basic.auth.credentials.source=SASL_INHERIT")
		}
		if config.SaslPassword == "" {
			return configErrorf("sasl.password", "is needed for basic.auth.credentials.source=SASL_INHERIT")
		}
	default:
		return configErrorf("basic.auth.credentials.source", "%q is none of USER_INFO, URL and SASL_INHERIT", source)
	}
	return nil
}

func applyBearer(config *schemaregistry.Config, source string, transport http.RoundTripper) *ConfigError {
	switch source {
	case "":
	case "STATIC_TOKEN":
		if config.BearerAuthToken == "" {
			return configErrorf("bearer.auth.token", "is needed for bearer.auth.credentials.source=STATIC_TOKEN")
		}
	case "OAUTHBEARER":
		issuer, err := url.Parse(config.BearerAuthIssuerEndpointURL)
		if err != nil || issuer.Host == "" || (issuer.Scheme != "http" && issuer.Scheme != "https") {
			return configErrorf("bearer.auth.issuer.endpoint.url", "a URL of a token endpoint is needed for OAUTHBEARER")
		}
		if config.BearerAuthClientID == "" {
			return configErrorf("bearer.auth.client.id", "is needed for bearer.auth.credentials.source=OAUTHBEARER")
		}
		if config.BearerAuthClientSecret == "" {
			return configErrorf("bearer.auth.client.secret", "is needed for bearer.auth.credentials.source=OAUTHBEARER")
		}
		config.AuthenticationHeaderProvider = newOAuth(config, transport)
		config.BearerAuthCredentialsSource = "CUSTOM"
	case "CUSTOM":
		return configErrorf("bearer.auth.credentials.source", "CUSTOM is not supported: a property is text and cannot hold a function")
	default:
		return configErrorf("bearer.auth.credentials.source", "%q is neither STATIC_TOKEN nor OAUTHBEARER", source)
	}
	return nil
}

package registry

import (
	"context"
	"net/http"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/pykafarr/pykafarr/kafarr/oidc"
)

// oauth gives the registry client its bearer tokens (client credentials grant). The client has a provider of
// its own, which is not used because it asks the token endpoint without a time-out and without our CA, asks
// again for every request where tokens name no expiry, and refuses issuers that are not Confluent Cloud's.
type oauth struct {
	tokens         oauth2.TokenSource
	identityPool   string
	logicalCluster string
}

func newOAuth(config *schemaregistry.Config, transport http.RoundTripper) *oauth {
	client := oidc.Client(transport, time.Duration(config.RequestTimeoutMs)*time.Millisecond)
	grant := clientcredentials.Config{
		ClientID:     config.BearerAuthClientID,
		ClientSecret: config.BearerAuthClientSecret,
		TokenURL:     config.BearerAuthIssuerEndpointURL,
		Scopes:       config.BearerAuthScopes,
	}
	return &oauth{
		// Caches the token until shortly before it expires; safe for concurrent use.
		tokens:         grant.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, client)),
		identityPool:   config.BearerAuthIdentityPoolID,
		logicalCluster: config.BearerAuthLogicalCluster,
	}
}

// GetAuthenticationHeader returns the value of the Authorization header.
func (o *oauth) GetAuthenticationHeader() (string, error) {
	token, err := o.tokens.Token()
	if err != nil {
		return "", err
	}
	return "Bearer " + token.AccessToken, nil
}

// GetIdentityPoolID returns Confluent Cloud's identity pool, "" elsewhere.
func (o *oauth) GetIdentityPoolID() (string, error) { return o.identityPool, nil }

// GetLogicalCluster returns Confluent Cloud's id of the registry, "" elsewhere.
func (o *oauth) GetLogicalCluster() (string, error) { return o.logicalCluster, nil }

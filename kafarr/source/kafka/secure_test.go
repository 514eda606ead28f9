package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
	"github.com/pykafarr/pykafarr/kafarr/status"
)

func TestTheBrokerIsFoundInWhatLibrdkafkaSays(t *testing.T) {
	for text, want := range map[string]string{
		"ssl://kafka:9093/bootstrap: SSL handshake failed": "kafka:9093",
		"sasl_ssl://[::1]:9093/17: SSL handshake failed":   "[::1]:9093",
		"GroupCoordinator: kafka:9093: SSL handshake":      "",
	} {
		found := append(brokerOf.FindStringSubmatch(text), "", "")
		if found[1] != want {
			t.Errorf("%s: %q", text, found[1])
		}
	}
}

func TestASourceOfTokensAndTheMechanismGoTogether(t *testing.T) {
	ask := func(context.Context) (Token, error) { return Token{}, errors.New("not asked") }
	bearer := map[string]string{"sasl.mechanisms": oauthBearer}
	for name, c := range map[string]struct {
		properties map[string]string
		token      func(context.Context) (Token, error)
		want       string
	}{
		"both":            {bearer, ask, ""},
		"neither":         {nil, nil, ""},
		"no mechanism":    {nil, ask, "must be OAUTHBEARER"},
		"no source":       {bearer, nil, "give oauth_token"},
		"two sources":     {map[string]string{"sasl.mechanism": oauthBearer, "sasl.oauthbearer.method": "oidc"}, ask, "tokens of their own"},
		"oidc":            {map[string]string{"sasl.mechanism": oauthBearer, "sasl.oauthbearer.method": "oidc"}, nil, ""},
		"unsecure tokens": {map[string]string{"sasl.mechanism": oauthBearer, "enable.sasl.oauthbearer.unsecure.jwt": "true"}, nil, ""},
	} {
		err := source.CheckToken(c.properties, c.token != nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATokenIsNotPrinted(t *testing.T) {
	token := Token{Value: "geheim", Expiry: time.Unix(0, 0), Principal: "anna"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if shown := fmt.Sprintf(verb, token); strings.Contains(shown, "geheim") || !strings.Contains(shown, "anna") {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
}

func TestOfErrorsAboutCredentialsTheLastIsTold(t *testing.T) {
	k := &Kafka{cfg: Config{Properties: map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "anna"}}, secrets: redact.Properties(nil)}
	k.loginRefused(errors.New("first"))
	k.tell(errors.New("something else"))
	k.loginRefused(errors.New("second"))
	if len(k.reported) != 2 || k.reported[0].Error() != "PLAIN as anna: second" || k.reported[1].Error() != "something else" {
		t.Errorf("%v", k.reported)
	}
	var e *source.Error
	if !errors.As(k.reported[0], &e) || e.Code != status.AuthenticationError || !k.Refused() {
		t.Errorf("%#v", k.reported[0])
	}
}

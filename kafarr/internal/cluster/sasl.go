package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/pykafarr/pykafarr/kafarr/internal/async"
	"github.com/pykafarr/pykafarr/kafarr/oidc"
	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// readSASL makes the mechanism.
func (l *Login) readSASL(s *Settings, c *Config) (sasl.Mechanism, error) {
	l.mechanism = strings.ToUpper(l.property("sasl.mechanism", "sasl.mechanisms"))
	l.user = l.property("sasl.username")
	password := l.property("sasl.password")
	if l.mechanism != source.OAuthBearer && (l.user == "" || password == "") && l.mechanism != "" && l.mechanism != "GSSAPI" {
		return nil, fmt.Errorf("sasl.mechanism is %s: it needs sasl.username and sasl.password", l.mechanism)
	}
	switch l.mechanism {
	case "PLAIN":
		return plain.Auth{User: l.user, Pass: password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: l.user, Pass: password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: l.user, Pass: password}.AsSha512Mechanism(), nil
	case source.OAuthBearer:
		l.tokens = &tokens{ask: c.Token, secrets: s.Secrets}
		if c.Token == nil {
			ask, err := l.oidc(c.User)
			if err != nil {
				return nil, err
			}
			l.tokens.ask, l.tokens.who = ask, l.property("sasl.oauthbearer.client.id", "sasl.oauthbearer.client.credentials.client.id")
		}
		return oauth.Oauth(l.tokens.auth), nil
	}
	return nil, fmt.Errorf("sasl.mechanism is %q: %s supports PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER", l.mechanism, c.User)
}

// tokens keeps OAUTHBEARER's token for as long as it is good; each connection shows one, and again before its session ends.
type tokens struct {
	ask     func(context.Context) (source.Token, error)
	secrets *redact.Secrets

	mu    sync.Mutex
	last  source.Token
	renew time.Time
	who   string
}

func (t *tokens) principal() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.who
}

// auth is what a connection shows. A token is renewed when three quarters of its life are over; until its end it does if there is no other.
func (t *tokens) auth(ctx context.Context) (oauth.Auth, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.After(t.renew) {
		var token source.Token
		var err error
		if panicked := async.Catch(func() { token, err = t.ask(ctx) }); panicked != nil { // franz-go asks in a goroutine of its own
			err = panicked
		}
		switch {
		case err == nil:
			t.secrets.Renew(token.Value)
			t.last, t.renew = token, now.Add(token.Expiry.Sub(now)/4*3)
			if token.Principal != "" {
				t.who = token.Principal
			}
		case now.After(t.last.Expiry):
			var ofNet net.Error
			return oauth.Auth{}, &loginError{err: t.secrets.Error(fmt.Errorf("no token: %w", err)), passing: errors.As(err, &ofNet)}
		}
	}
	return oauth.Auth{Token: t.last.Value, Extensions: t.last.Extensions}, nil
}

// oidcTimeout bounds a request for a token.
const oidcTimeout = 10 * time.Second

// oidc asks a token endpoint for tokens, with the client's credentials.
func (l *Login) oidc(user string) (func(context.Context) (source.Token, error), error) {
	if grant := l.property("sasl.oauthbearer.grant.type"); grant != "" && grant != "client_credentials" {
		return nil, fmt.Errorf("sasl.oauthbearer.grant.type is %q: %s supports client_credentials", grant, user)
	}
	conf := clientcredentials.Config{
		ClientID:     l.property("sasl.oauthbearer.client.id", "sasl.oauthbearer.client.credentials.client.id"),
		ClientSecret: l.property("sasl.oauthbearer.client.secret", "sasl.oauthbearer.client.credentials.client.secret"),
		TokenURL:     l.property("sasl.oauthbearer.token.endpoint.url"),
		Scopes:       strings.Fields(l.property("sasl.oauthbearer.scope")),
		AuthStyle:    oauth2.AuthStyleInHeader,
	}
	if conf.ClientID == "" || conf.ClientSecret == "" || conf.TokenURL == "" {
		return nil, errors.New("sasl.oauthbearer.method is oidc: it needs sasl.oauthbearer.token.endpoint.url, sasl.oauthbearer.client.id and sasl.oauthbearer.client.secret")
	}
	if address, err := url.Parse(conf.TokenURL); err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("sasl.oauthbearer.token.endpoint.url is no http or https address")
	}
	extensions, err := pairs(l.property("sasl.oauthbearer.extensions"))
	if err != nil {
		return nil, err
	}
	roots, _, err := l.roots("https.ca.pem", "https.ca.location")
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: l.environment.Proxy(), TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	client := oidc.Client(transport, oidcTimeout)
	return func(ctx context.Context) (source.Token, error) {
		token, err := conf.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
		if err != nil {
			return source.Token{}, err
		}
		return source.Token{Value: token.AccessToken, Expiry: token.Expiry, Extensions: extensions}, nil
	}, nil
}

// pairs reads "name=value,name=value".
func pairs(list string) (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range listed(list) {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("sasl.oauthbearer.extensions holds %q, which is no name=value", pair)
		}
		out[name] = value
	}
	return out, nil
}

package source

import (
	"fmt"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/status"
)

// Token is what OAUTHBEARER shows to brokers.
type Token struct {
	Value      string
	Expiry     time.Time
	Principal  string            // whom it stands for; brokers go by the token itself
	Extensions map[string]string // SASL extensions
}

// String and GoString keep fmt's verbs from printing the token.
func (t Token) String() string { return fmt.Sprintf("token of %s until %v", t.Principal, t.Expiry) }

// GoString is String.
func (t Token) GoString() string { return t.String() }

// OAuthBearer is the SASL mechanism that shows tokens.
const OAuthBearer = "OAUTHBEARER"

// CheckToken refuses a source of tokens that nothing would ask; given: there is one.
func CheckToken(properties map[string]string, given bool) error {
	mechanism := properties["sasl.mechanism"] + properties["sasl.mechanisms"]
	itself := properties["sasl.oauthbearer.method"] == "oidc" || properties["enable.sasl.oauthbearer.unsecure.jwt"] == "true"
	switch {
	case !given && mechanism == OAuthBearer && !itself:
		return Errorf(status.ConfigError, "config: sasl.mechanism is OAUTHBEARER: give oauth_token, or sasl.oauthbearer.method=oidc, for nothing else brings tokens")
	case given && mechanism != OAuthBearer:
		return Errorf(status.ConfigError, "config: oauth_token is given: sasl.mechanism must be OAUTHBEARER, not %q", mechanism)
	case given && itself:
		return Errorf(status.ConfigError, "config: oauth_token is given: sasl.oauthbearer.method=oidc and enable.sasl.oauthbearer.unsecure.jwt bring tokens of their own")
	}
	return nil
}

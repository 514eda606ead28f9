package source

import (
	"fmt"
	"time"
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

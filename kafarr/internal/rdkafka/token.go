package rdkafka

import (
	"context"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// A token is renewed when three quarters of its life are over: librdkafka would ask at four fifths, but only a client that polls. A failure
// is tried again after tokenPause, then twice that, up to tokenMaxPause.
const (
	tokenPause    = 500 * time.Millisecond
	tokenMaxPause = 30 * time.Second
)

// Tokens brings the tokens of one client.
type Tokens struct {
	Ask     func(context.Context) (source.Token, error)
	Set     func(source.Token) error
	Missing func(why error) // there is no token that is good
	Secrets *redact.Secrets
	Log     Log
}

// Keep gives the client tokens until ctx ends, whether anybody polls or not. A failure is logged while the last token is good: a failure that
// passes shall not stop a reader.
func (t *Tokens) Keep(ctx context.Context) {
	pause, expiry := tokenPause, time.Time{}
	for ctx.Err() == nil {
		var wait time.Duration
		token, err := t.Ask(ctx)
		if err == nil {
			t.Secrets.Renew(token.Value)
			err = t.Set(token)
		}
		if err == nil {
			pause, expiry = tokenPause, token.Expiry
			wait = max(time.Until(expiry)/4*3, tokenPause)
		} else if ctx.Err() == nil {
			err = t.Secrets.Error(fmt.Errorf("no token: %w", err))
			if time.Now().Before(expiry) {
				t.Log(4, "OAUTH", fmt.Sprintf("%v; the last one is good until %v", err, expiry.Format(time.RFC3339)))
			} else {
				t.Missing(err)
			}
			wait, pause = pause, min(2*pause, tokenMaxPause)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// ClientToken is a token as the client takes it.
func ClientToken(t source.Token) kafka.OAuthBearerToken {
	return kafka.OAuthBearerToken{TokenValue: t.Value, Expiration: t.Expiry, Principal: t.Principal, Extensions: t.Extensions}
}

package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/pykafarr/pykafarr/kafarr/redact"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// oauthBearer is the SASL mechanism that shows tokens.
const oauthBearer = source.OAuthBearer

// Token is what OAUTHBEARER shows to brokers.
type Token = source.Token

// A token is renewed when three quarters of its life are over: librdkafka would ask at four fifths, but only whoever polls. What fails
// is tried again after tokenPause, then twice that, up to tokenMaxPause.
const (
	tokenPause    = 500 * time.Millisecond
	tokenMaxPause = 30 * time.Second
)

// tokens are one client's.
type tokens struct {
	ask     func(context.Context) (Token, error)
	set     func(Token) error
	missing func(why error)
	secrets *redact.Secrets
	log     func(level int, facility, message string)
}

// keep gives the client tokens until ctx ends, whether anybody polls or not. A failure is told to the log while the last token is good, for what passes shall not stop
// a reader.
func (t *tokens) keep(ctx context.Context) {
	pause, expiry := tokenPause, time.Time{}
	for ctx.Err() == nil {
		var wait time.Duration
		token, err := t.ask(ctx)
		if err == nil {
			t.secrets.Renew(token.Value)
			err = t.set(token)
		}
		if err == nil {
			pause, expiry = tokenPause, token.Expiry
			wait = max(time.Until(expiry)/4*3, tokenPause)
		} else if ctx.Err() == nil {
			err = t.secrets.Error(fmt.Errorf("no token: %w", err))
			if time.Now().Before(expiry) {
				t.log(4, "OAUTH", fmt.Sprintf("%v; the last one is good until %v", err, expiry.Format(time.RFC3339)))
			} else {
				t.missing(err)
			}
			wait, pause = pause, min(2*pause, tokenMaxPause)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// shown is a token as the client takes it.
func shown(t Token) kafka.OAuthBearerToken {
	return kafka.OAuthBearerToken{TokenValue: t.Value, Expiration: t.Expiry, Principal: t.Principal, Extensions: t.Extensions}
}

// keepToken gives the consumer tokens for as long as it lives.
func (k *Kafka) keepToken() {
	t := tokens{ask: k.cfg.Token, set: k.setToken, missing: k.tokenMissing, secrets: k.secrets, log: k.cfg.Log}
	t.keep(k.ctx)
}

func (k *Kafka) setToken(token Token) error {
	k.mu.Lock()
	k.principal, k.noToken = token.Principal, ""
	k.mu.Unlock()
	return k.consumer.SetOAuthBearerToken(shown(token))
}

// tokenMissing tells the next ServeEvents.
func (k *Kafka) tokenMissing(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.noToken = err.Error()
	k.loginRefused(err)
}

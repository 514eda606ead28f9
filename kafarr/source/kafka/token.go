package kafka

import (
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

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

// keepToken gives the client tokens for as long as it lives, whether anybody polls or not.
func (k *Kafka) keepToken() {
	pause, expiry := tokenPause, time.Time{}
	for k.ctx.Err() == nil {
		var wait time.Duration
		token, err := k.cfg.Token(k.ctx)
		if err == nil {
			err = k.setToken(token)
		}
		if err == nil {
			pause, expiry = tokenPause, token.Expiry
			wait = max(time.Until(expiry)/4*3, tokenPause)
		} else if k.ctx.Err() == nil {
			k.tokenMissing(err, expiry)
			wait, pause = pause, min(2*pause, tokenMaxPause)
		}
		select {
		case <-time.After(wait):
		case <-k.ctx.Done():
		}
	}
}

func (k *Kafka) setToken(token Token) error {
	k.secrets.Renew(token.Value)
	k.mu.Lock()
	k.principal, k.noToken = token.Principal, ""
	k.mu.Unlock()
	return k.consumer.SetOAuthBearerToken(kafka.OAuthBearerToken{
		TokenValue: token.Value, Expiration: token.Expiry, Principal: token.Principal, Extensions: token.Extensions,
	})
}

// tokenMissing tells of a failure: to the log while the last token is good, for what passes shall not stop a reader, then to the next Serve.
func (k *Kafka) tokenMissing(err error, expiry time.Time) {
	err = k.secrets.Error(fmt.Errorf("no token: %w", err))
	if time.Now().Before(expiry) {
		k.cfg.Log(4, "OAUTH", fmt.Sprintf("%v; the last one is good until %v", err, expiry.Format(time.RFC3339)))
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.noToken = err.Error()
	k.loginRefused(err)
}

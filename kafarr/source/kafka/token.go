package kafka

import (
	"github.com/pykafarr/pykafarr/kafarr/internal/rdkafka"
	"github.com/pykafarr/pykafarr/kafarr/source"
)

// oauthBearer is the SASL mechanism that shows tokens.
const oauthBearer = source.OAuthBearer

// Token is what OAUTHBEARER shows to brokers.
type Token = source.Token

// keepToken gives the consumer tokens for as long as it lives.
func (k *Kafka) keepToken() {
	t := rdkafka.Tokens{Ask: k.cfg.Token, Set: k.setToken, Missing: k.tokenMissing, Secrets: k.secrets, Log: k.cfg.Log}
	t.Keep(k.ctx)
}

func (k *Kafka) setToken(token Token) error {
	k.mu.Lock()
	k.principal, k.noToken = token.Principal, ""
	k.mu.Unlock()
	return k.consumer.SetOAuthBearerToken(rdkafka.ClientToken(token))
}

// tokenMissing makes an error for the next ServeEvents.
func (k *Kafka) tokenMissing(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.noToken = err.Error()
	k.loginRefused(err)
}

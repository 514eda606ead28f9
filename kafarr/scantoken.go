package kafarr

import (
	"context"
	"sync"
	"time"
)

// inTurn asks for a token once for several clients, one at a time: all get the same one until half of its life is over. A client asks again when three quarters are over.
func inTurn(ask func(context.Context) (OAuthToken, error)) func(context.Context) (OAuthToken, error) {
	if ask == nil {
		return nil
	}
	var turn sync.Mutex
	var last OAuthToken
	var renew time.Time
	return func(ctx context.Context) (OAuthToken, error) {
		turn.Lock()
		defer turn.Unlock()
		now := time.Now()
		if now.Before(renew) {
			return last, nil
		}
		token, err := ask(ctx)
		if err == nil {
			last, renew = token, now.Add(token.Expiry.Sub(now)/2)
		}
		return token, err
	}
}

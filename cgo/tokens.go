package main

// #define KAFARR_TYPES_ONLY
// #include "kafarr.h"
import "C"

import (
	"context"
	"errors"
	"time"

	"github.com/pykafarr/pykafarr/kafarr"
)

// tokens carries the core's question for a token out, and the answer in: nothing calls back over the boundary.
type tokens struct {
	wanted  chan struct{}
	answers chan tokenIn
	turn    chan struct{} // held by the one that asks: the consumer, or the producer of dead letters
	over    chan struct{} // closed with the listener
}

func newTokens() *tokens {
	return &tokens{wanted: make(chan struct{}, 1), answers: make(chan tokenIn, 1), turn: make(chan struct{}, 1), over: make(chan struct{})}
}

// asker is what a handle stands for that wants tokens.
type asker interface{ asks() *tokens }

// tokenIn is a token as it comes over the boundary, or why there is none.
type tokenIn struct {
	Token      string            `json:"token"`
	ExpiryMS   int64             `json:"expiry_ms"`
	Principal  string            `json:"principal"`
	Extensions map[string]string `json:"extensions"`
	Failure    string            `json:"failure"`
}

// ask is the listener's kafarr.Config.OAuthToken.
func (t *tokens) ask(ctx context.Context) (kafarr.OAuthToken, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return kafarr.OAuthToken{}, ctx.Err()
	}
	select { // the answer to a caller that no longer waits
	case <-t.answers:
	default:
	}
	select {
	case t.wanted <- struct{}{}:
	case <-ctx.Done():
		return kafarr.OAuthToken{}, ctx.Err()
	}
	select {
	case in := <-t.answers:
		if in.Failure != "" {
			return kafarr.OAuthToken{}, errors.New(in.Failure)
		}
		return kafarr.OAuthToken{Value: in.Token, Expiry: time.UnixMilli(in.ExpiryMS), Principal: in.Principal, Extensions: in.Extensions}, nil
	case <-ctx.Done():
		return kafarr.OAuthToken{}, ctx.Err()
	}
}

//export listener_token_wanted
func listener_token_wanted(handle, sliceMS C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[asker](int64(handle))
		if err != nil {
			return err
		}
		select {
		case <-l.asks().over:
			return closed(int64(handle))
		case <-l.asks().wanted:
			return nil
		case <-time.After(milliseconds(sliceMS)):
			return errPending
		}
	})
}

//export listener_token
func listener_token(handle C.int64_t, answer *C.char, n C.int64_t, e *C.struct_kafarr_error) C.int32_t {
	return guard(e, func() error {
		l, err := get[asker](int64(handle))
		if err != nil {
			return err
		}
		var in tokenIn
		if err := parse(answer, n, &in); err != nil {
			return err
		}
		for {
			select {
			case l.asks().answers <- in:
				return nil
			case <-l.asks().answers: // the one that asked for it no longer waits
			}
		}
	})
}

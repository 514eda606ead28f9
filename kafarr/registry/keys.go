package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rules/encryption/deks"
)

// KeyName names a data key: the subject's key of a version and an algorithm, encrypted by the key encryption key Kek.
type KeyName struct {
	Kek, Subject string
	Version      int
	Algorithm    string
}

func (n KeyName) String() string {
	return fmt.Sprintf("%s key of subject %s, version %d, by key %s", clean(n.Algorithm), clean(n.Subject), n.Version, clean(n.Kek))
}

// Key is a data key as a registry gives it.
type Key struct {
	KmsType, KmsKeyID string
	Encrypted         []byte // by the KMS's key
	Plain             []byte // empty: the registry may not decrypt it itself
}

// Keys is what registries have besides that keep data keys: Confluent's, from 7.4 on, with its DEK registry.
type Keys interface {
	// Key gives deleted ones, too: what was written with them stays. One that does not exist is an *Error of kind NotFound.
	Key(ctx context.Context, name KeyName) (Key, error)
}

// mostKeys bounds the memory that is taken by keys, and by those that are not known.
const mostKeys = 10_000

// Key implements Keys. Known keys are kept, unknown and unusable ones for five seconds, as schemas are; it ends with ctx.
func (c *confluent) Key(ctx context.Context, n KeyName) (Key, error) {
	c.mu.Lock()
	key, known := c.keys[n]
	failed, unknown := c.failedKeys[n]
	c.mu.Unlock()
	switch {
	case known:
		return key, nil
	case unknown && time.Now().Before(failed.until):
		return Key{}, failed.err
	}
	ctx, cancel := context.WithTimeout(ctx, maxLookup)
	defer cancel()
	closed := context.AfterFunc(c.alive, cancel)
	defer closed()
	exchange, config := exchangeOf(ctx, c.config, c.requests)
	client, err := deks.NewClient(&config)
	if err == nil {
		defer c.transport.CloseIdleConnections()
		key, err = keyOf(client, n)
	}
	if err != nil {
		kind, cause := judge(err, exchange)
		if kind == NotFound && noSuchAddress(err) {
			kind, cause = Unavailable, fmt.Errorf("%w: does this registry keep keys?", cause)
		}
		failure := failure{&Error{Kind: kind, ID: -1, URL: c.url, Err: c.secrets.Error(fmt.Errorf("%v: %w", n, cause))}, time.Now().Add(remember)}
		if kind == NotFound || kind == Invalid {
			c.rememberKey(n, failure)
		}
		return Key{}, failure.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) >= mostKeys {
		clear(c.keys)
	}
	c.keys[n] = key
	return key, nil
}

func (c *confluent) rememberKey(n KeyName, f failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.failedKeys) >= mostKeys {
		clear(c.failedKeys)
	}
	c.failedKeys[n] = f
}

func keyOf(client deks.Client, n KeyName) (Key, error) {
	kek, err := client.GetKek(n.Kek, true)
	if err != nil {
		return Key{}, err
	}
	dek, err := client.GetDekVersion(n.Kek, n.Subject, n.Version, n.Algorithm, true)
	if err != nil {
		return Key{}, err
	}
	key := Key{KmsType: clean(kek.KmsType), KmsKeyID: clean(kek.KmsKeyID)}
	if key.Encrypted, err = base64.StdEncoding.DecodeString(dek.EncryptedKeyMaterial); err != nil {
		return Key{}, errKeyForm
	}
	if key.Plain, err = base64.StdEncoding.DecodeString(dek.KeyMaterial); err != nil {
		return Key{}, errKeyForm
	}
	if len(key.Encrypted)+len(key.Plain) == 0 {
		return Key{}, errNoKey
	}
	return key, nil
}

// errNoKey is an answer of success without a key.
var errNoKey = &invalidAnswer{errors.New("the answer holds no key")}

var errKeyForm = &invalidAnswer{errors.New("the key is not in base64")}

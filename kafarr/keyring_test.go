package kafarr_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"testing"
	"testing/synctest"

	"github.com/pykafarr/pykafarr/kafarr"
	"github.com/pykafarr/pykafarr/kafarr/registry"
	"github.com/pykafarr/pykafarr/kafarr/source/replay"
)

// keeper is a registry that decrypts data keys itself. It has the version 1 of each, whose bytes are all 7.
type keeper struct {
	registry.Static
	asked map[registry.KeyName]int
}

func (k keeper) Key(_ context.Context, name registry.KeyName) (registry.Key, error) {
	k.asked[name]++ // the poll waits for the goroutine that asks
	if name.Version != 1 {
		return registry.Key{}, &registry.Error{Kind: registry.NotFound, ID: -1, URL: "keeper", Err: context.Canceled}
	}
	return registry.Key{KmsType: "any", Plain: append([]byte{26, 32}, bytes.Repeat([]byte{7}, 32)...)}, nil
}

func keeping(params map[string]string) keeper {
	rule := registry.Rule{Name: "hide", Type: registry.EncryptFields, Tags: []string{"T"}, Params: params}
	return keeper{registry.Static{1: {
		Text:     `{"type":"record","name":"x.A","fields":[{"name":"s","type":"string","confluent:tags":["T"]}]}`,
		Contract: &registry.Contract{Rules: []registry.Rule{rule}, Properties: map[string]string{"encrypt.kek.name": "k"}},
	}}, map[registry.KeyName]int{}}
}

// hidden is a message whose field was encrypted with that key, whatever the prefix says.
func hidden(t *testing.T, offset int64, prefix, text string) replay.Message {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce := bytes.Repeat([]byte{9}, aead.NonceSize())
	sealed := base64.StdEncoding.EncodeToString(append([]byte(prefix), aead.Seal(nonce, nonce, []byte(text), nil)...))
	value := append([]byte{0, 0, 0, 0, 1, byte(2*len(sealed)) | 0x80, byte(2 * len(sealed) >> 7)}, sealed...)
	return replay.Message{Topic: "t", Offset: offset, Value: value}
}

func TestAKeyIsLookedUpOnceForAllItsValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := keeping(nil)
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: kept}, Messages: kafarr.Messages{Rules: kafarr.DecryptRules}}, hidden(t, 0, "", "one"), hidden(t, 1, "", "two and more of it, so that it is long"), hidden(t, 2, "", ""))
		wantRendered(t, l, "x.A s=one,two and more of it, so that it is long, _offset=0,1,2")
		if want := (registry.KeyName{Kek: "k", Subject: "t-value", Version: 1, Algorithm: "AES256_GCM"}); len(kept.asked) != 1 || kept.asked[want] != 1 {
			t.Errorf("%v", kept.asked)
		}
		if n := l.Stats().RulesNotRun; n != 0 {
			t.Errorf("%d rows of rules that were not run", n)
		}
	})
}

func TestAVersionThatDoesNotExistCostsItsOwnRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := keeping(map[string]string{"encrypt.dek.expiry.days": "1"})
		const one, two, wrong = "\x00\x00\x00\x00\x01", "\x00\x00\x00\x00\x02", "\x01\x00\x00\x00\x01"
		cfg := kafarr.Config{Registry: kafarr.Registry{Client: kept}, Messages: kafarr.Messages{Rules: kafarr.DecryptRules, Errors: kafarr.Skip, SchemaPatience: -1}}
		l, _ := open(t, cfg, hidden(t, 0, two, "a"), hidden(t, 1, one, "b"), hidden(t, 2, two, "c"), hidden(t, 3, wrong, "d"), hidden(t, 4, one, "e"))
		wantRendered(t, l, "x.A s=b,e _offset=1,4")
		if n := l.Stats().Skipped; n != 3 {
			t.Errorf("%d were skipped", n)
		}
	})
}

func TestARegistryThatKeepsNoKeysIsAnErrorThatPassesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := open(t, kafarr.Config{Registry: kafarr.Registry{Client: keeping(nil).Static}, Messages: kafarr.Messages{Rules: kafarr.DecryptRules, Errors: kafarr.Skip}}, hidden(t, 0, "", "a"))
		const text = "t[0]@0: schema 1: AES256_GCM key of subject t-value, version 1, by key k: this registry keeps no keys"
		wantRendered(t, l, text, text)
	})
}

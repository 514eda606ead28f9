package unseal

import (
	"bytes"
	"testing"
)

// key is a Tink message of AesGcmKey with these many bytes.
func key(n byte) []byte { return append([]byte{3<<3 | 2, n}, bytes.Repeat([]byte{7}, int(n))...) }

func TestWhatAKeyHasSealedItOpensBehindWhatIsThere(t *testing.T) {
	o, err := New(AES256GCM, key(32))
	if err != nil {
		t.Fatal(err)
	}
	nonce := bytes.Repeat([]byte{1}, o.aead.NonceSize())
	sealed := o.aead.Seal(nonce, nonce, []byte("hello"), nil)
	if got, err := o.Open([]byte("so: "), sealed); err != nil || string(got) != "so: hello" {
		t.Errorf("%q, %v", got, err)
	}
	if len(sealed) != len("hello")+o.Overhead() {
		t.Errorf("an overhead of %d", o.Overhead())
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := o.Open(nil, changed); err == nil {
			t.Errorf("byte %d was changed, and nothing is wrong", i)
		}
		if _, err := o.Open(nil, sealed[:i]); err == nil {
			t.Errorf("%d bytes of it are enough", i)
		}
	}
}

func TestKeysOfAnotherFormAreRefused(t *testing.T) {
	for name, wrong := range map[string][]byte{
		"empty": nil, "short": key(16), "cut off": key(32)[:20], "tag alone": {26}, "version 1": append([]byte{8, 1}, key(32)...), "of AesSivKey": append([]byte{18, 32}, make([]byte, 32)...),
		"endless length": {26, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, "long length": {26, 255, 255, 255, 255, 255, 255, 255, 255, 127},
	} {
		if _, err := New(AES256GCM, wrong); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := New(AES256GCM, append([]byte{8, 0}, key(32)...)); err != nil {
		t.Errorf("version 0: %v", err)
	}
	if _, err := New("AES256_SIV", key(32)); err == nil {
		t.Error("an unknown algorithm is taken")
	}
}

// Package unseal decrypts what serializers of Confluent's clients have encrypted by rules of data contracts: values with a data key, and data keys with a key of a key management service (KMS).
package unseal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// The algorithms of data keys. AES256_SIV is another one, which is not known here.
const (
	AES256GCM = "AES256_GCM"
	AES128GCM = "AES128_GCM"
)

// localKeySize is that of the key that a secret stands for.
const localKeySize = 16

// Opener decrypts values of one data key.
type Opener struct{ aead cipher.AEAD }

// Local is the KMS that clients call local: its one key follows from a secret.
func Local(secret string) (*Opener, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "", localKeySize)
	if err != nil {
		return nil, err
	}
	return gcm(key)
}

// New is the opener of a data key, which is the key's message of Tink: of AesGcmKey.
func New(algorithm string, key []byte) (*Opener, error) {
	size := map[string]int{AES256GCM: 32, AES128GCM: 16}[algorithm]
	if size == 0 {
		return nil, fmt.Errorf("algorithm %q is none of %s and %s", algorithm, AES256GCM, AES128GCM)
	}
	value, err := keyValue(key)
	if err != nil {
		return nil, err
	}
	if len(value) != size {
		return nil, fmt.Errorf("a key of %s has %d bytes, and not %d", algorithm, size, len(value))
	}
	return gcm(value)
}

func gcm(key []byte) (*Opener, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Opener{aead}, nil
}

// errSealed says nothing of what was found, or of the key.
var errSealed = errors.New("it was not encrypted with this key, or was changed since")

// Overhead is how many bytes the ciphertext has more than what it holds.
func (o *Opener) Overhead() int { return o.aead.NonceSize() + o.aead.Overhead() }

// Open appends what the ciphertext holds to dst. Both must not overlap.
func (o *Opener) Open(dst, sealed []byte) ([]byte, error) {
	n := o.aead.NonceSize()
	if len(sealed) < o.Overhead() {
		return nil, errSealed
	}
	out, err := o.aead.Open(dst, sealed[:n], sealed[n:], nil)
	if err != nil {
		return nil, errSealed
	}
	return out, nil
}

// keyValue finds the bytes of a key in its message: {1: version, 3: the bytes}, in the encoding of Protocol Buffers.
func keyValue(message []byte) (value []byte, err error) {
	const (
		versionTag = 1 << 3
		valueTag   = 3<<3 | 2
	)
	for rest := message; len(rest) > 0; {
		tag := rest[0]
		number, n := binary.Uvarint(rest[1:])
		if n <= 0 {
			return nil, errKeyForm
		}
		rest = rest[1+n:]
		switch {
		case tag == versionTag && number == 0:
		case tag == valueTag && number <= uint64(len(rest)):
			value, rest = rest[:number], rest[number:]
		default:
			return nil, errKeyForm
		}
	}
	return value, nil
}

var errKeyForm = errors.New("the data key is not of the form that its algorithm has")

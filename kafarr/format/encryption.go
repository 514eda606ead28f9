package format

import "fmt"

// EncryptedValue is a value that a plan reads as the ciphertext that rules of a data contract made of it.
type EncryptedValue struct {
	Path  string
	Rules []int // as Schema.MarkEncrypted numbers them
}

// Opener decrypts the values of one key. It appends the plaintext to dst, which takes no more room than the ciphertext.
type Opener interface {
	Open(dst, ciphertext []byte) ([]byte, error)
}

// Keys are the keys that bodies are encrypted with.
type Keys interface {
	// Versioned reports whether the values of a rule begin with the version of their key.
	Versioned(rule int) bool
	// Opener returns that of a rule and a version of its key; the version is 1 where values have none. nil: the key is not known, and the row fails with a *KeyError.
	Opener(rule, version int) Opener
}

// KeyError is the error of a row whose value needs a key that Keys does not have. Once Keys has it, the row can be appended again.
type KeyError struct {
	Path          string
	Rule, Version int
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("%s: version %d of the key is not known", e.Path, e.Version)
}

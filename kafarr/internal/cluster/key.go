package cluster

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // what keys were made with
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
)

// openKey decrypts a private key in PEM, where it is encrypted: by PKCS #8 (what OpenSSL writes), or by the older headers in the PEM itself.
func openKey(text []byte, password string) ([]byte, error) {
	for rest := text; ; {
		block, after := pem.Decode(rest)
		if block == nil {
			return text, nil
		}
		rest = after
		legacy := x509.IsEncryptedPEMBlock(block) //nolint:staticcheck // such keys are in use
		if !legacy && block.Type != "ENCRYPTED PRIVATE KEY" {
			continue
		}
		if password == "" {
			return nil, errors.New("the key is encrypted: it needs ssl.key.password")
		}
		if legacy {
			der, err := x509.DecryptPEMBlock(block, []byte(password)) //nolint:staticcheck // such keys are in use
			if err != nil {
				return nil, errWrongPassword
			}
			return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
		}
		der, err := openPKCS8(block.Bytes, []byte(password))
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
}

var errWrongPassword = errors.New("ssl.key.password does not open the key")

// The parts of an encrypted key: RFC 5958, section 3, and RFC 8018, appendix A.
type (
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2 struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	kdf2  struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	// hashes are PBKDF2's, by their identifiers; without one it is SHA-1.
	hashes = map[string]func() hash.Hash{
		"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
	}
	// keyLengths are those of AES in CBC mode.
	keyLengths = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32}
)

// maxIterations bounds the time that a key may take: it is a hundred times what OpenSSL writes, and ten what is advised.
const maxIterations = 10_000_000

func openPKCS8(der, password []byte) ([]byte, error) {
	var key encryptedKey
	var scheme pbes2
	var kdf kdf2
	var iv []byte
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return nil, fmt.Errorf("the encrypted key: %w", err)
	}
	if !key.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("the key is encrypted by %v: only PBES2 is supported (openssl pkcs8 -topk8 -v2 aes-256-cbc)", key.Algorithm.Algorithm)
	}
	if _, err := asn1.Unmarshal(key.Algorithm.Parameters.FullBytes, &scheme); err != nil {
		return nil, fmt.Errorf("the encrypted key: %w", err)
	}
	if !scheme.KDF.Algorithm.Equal(oidPBKDF2) {
		return nil, fmt.Errorf("the key's password is derived by %v: only PBKDF2 is supported", scheme.KDF.Algorithm)
	}
	if _, err := asn1.Unmarshal(scheme.KDF.Parameters.FullBytes, &kdf); err != nil {
		return nil, fmt.Errorf("the encrypted key: %w", err)
	}
	size, ok := keyLengths[scheme.Cipher.Algorithm.String()]
	if !ok {
		return nil, fmt.Errorf("the key is encrypted with %v: only AES in CBC mode is supported", scheme.Cipher.Algorithm)
	}
	prf := ""
	if kdf.PRF.Algorithm != nil {
		prf = kdf.PRF.Algorithm.String()
	}
	sum, ok := hashes[prf]
	if !ok || kdf.Iterations < 1 || kdf.Iterations > maxIterations {
		return nil, fmt.Errorf("the key's password is derived by %d rounds of %s, which is not supported", kdf.Iterations, prf)
	}
	if _, err := asn1.Unmarshal(scheme.Cipher.Parameters.FullBytes, &iv); err != nil || len(iv) != aes.BlockSize || len(key.Data) == 0 || len(key.Data)%aes.BlockSize != 0 {
		return nil, errors.New("the encrypted key is damaged")
	}
	secret, err := pbkdf2.Key(sum, string(password), kdf.Salt, kdf.Iterations, size)
	if err != nil {
		return nil, fmt.Errorf("the encrypted key: %w", err)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("the encrypted key: %w", err)
	}
	plain := make([]byte, len(key.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, key.Data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, errWrongPassword
	}
	plain = plain[:len(plain)-pad]
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, errWrongPassword
	}
	return plain, nil
}

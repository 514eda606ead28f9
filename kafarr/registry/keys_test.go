package registry

import (
	"testing"
)

const kekPath, dekPath = "/dek-registry/v1/keks/k", "/dek-registry/v1/keks/k/deks/t-value/versions/2"

var ofSubject = KeyName{Kek: "k", Subject: "t-value", Version: 2, Algorithm: "AES256_GCM"}

func TestAKeyIsAskedForOnce(t *testing.T) {
	noGoroutineStays(t)
	s := newServer(t)
	s.on(kekPath, reply(200, `{"name":"k","kmsType":"local-kms","kmsKeyId":"m"}`))
	s.on(dekPath, reply(200, `{"encryptedKeyMaterial":"AQI=","keyMaterial":"Aw=="}`))
	r := openRegistry(t, s.URL)
	for range 2 {
		key, err := r.Key(background, ofSubject)
		if err != nil || key.KmsType != "local-kms" || key.KmsKeyID != "m" || string(key.Encrypted) != "\x01\x02" || string(key.Plain) != "\x03" {
			t.Fatalf("%+v, %v", key, err)
		}
	}
	if n := s.count(dekPath); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestWhyThereIsNoKey(t *testing.T) {
	s := newServer(t)
	r := openRegistry(t, s.URL, "max.retries", "0")
	forget := func() { clear(r.failedKeys) }
	s.on(kekPath, reply(404, `{"error_code":40470,"message":"Key not found"}`))
	_, err := r.Key(background, ofSubject)
	wantKind(t, err, NotFound, "AES256_GCM key of subject t-value, version 2, by key k", "Key not found")
	_, err = r.Key(background, ofSubject)
	wantKind(t, err, NotFound)
	if n := s.count(kekPath); n != 1 {
		t.Errorf("%d requests for a key that is not known", n)
	}
	forget()
	s.on(kekPath, reply(404, `{"error_code":404,"message":"HTTP 404 Not Found"}`)) // a registry without such keys
	_, err = r.Key(background, ofSubject)
	wantKind(t, err, Unavailable, "does this registry keep keys?")
	s.on(kekPath, reply(200, `{"kmsType":"local-kms"}`))
	s.on(dekPath, reply(403, `{"error_code":40301,"message":"no"}`))
	_, err = r.Key(background, ofSubject)
	wantKind(t, err, Unauthorized)
	for _, useless := range []string{`{}`, `{"encryptedKeyMaterial":"*"}`} {
		s.on(dekPath, reply(200, useless))
		_, err = r.Key(background, ofSubject)
		wantKind(t, err, Invalid)
		forget()
	}
	s.on(dekPath, reply(503, `{}`))
	_, err = r.Key(background, ofSubject)
	wantKind(t, err, Unavailable)
}

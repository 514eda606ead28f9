package redact

import "testing"

func TestSecretPropertiesLeaveTexts(t *testing.T) {
	secrets := Properties(map[string]string{
		"sasl.password": "pass-1", "ssl.key.password": "pass-2", "ssl.key.pem": "pem-key", "sasl.oauthbearer.client.secret": "client-secret",
		"sasl.oauthbearer.assertion.private.key.passphrase": "phrase", "sasl.username": "anna", "https.proxy": "http://me:in-url@proxy",
	})
	if got := secrets.Text("pass-1 pass-2 pem-key client-secret phrase in-url anna"); got != "*** *** *** *** *** *** anna" {
		t.Error(got)
	}
}

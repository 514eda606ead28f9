package wire

import (
	"strings"
	"testing"
)

func TestFramingsAreRecognizedByTheirFirstBytes(t *testing.T) {
	uuid := "\x3b\x2f\x0a\x91\x0c\x1d\x4e\x2f\x80\x91\xa2\xb3\xc4\xd5\xe6\xf7"
	azure := "0123456789abcdef0123456789ABCDEF"
	for _, c := range []struct {
		value  string
		form   Form
		length int
		says   string
	}{
		{"Obj\x01\x04", ContainerFile, 0, "object-container file"},
		{"\xc3\x01\x08\x07\x06\x05\x04\x03\x02\x01x", SingleObjectForm, 10, "0102030405060708"},
		{"\xc3\x01", Unrecognized, 0, ""},
		{"\x03\x00" + uuid + "x", GlueForm, 18, "not compressed, schema version 3b2f0a91-0c1d-4e2f-8091-a2b3c4d5e6f7"},
		{"\x03\x05" + uuid, GlueForm, 18, "compressed with zlib"},
		{"\x03\x01" + uuid, Unrecognized, 0, ""},
		{"\x00\x00\x00\x00" + azure, AzureForm, 36, azure},
		{"\x00\x00\x00\x00\x00\x00\x00\x00\x11x", ApicurioForm, 9, "the id 17 in 8 bytes"},
		{"\x00\x00\x00\x00\x11x", ConfluentForm, 5, "the id 17 in 4 bytes"},
		{"\x00\x00\x00\x00\x00x", Unrecognized, 0, ""},
		{`{"a": 1}`, JSONForm, 0, "JSON"},
		{`{"schema":{"type":"struct"},"payload":1}`, EnvelopeForm, 0, "Kafka Connect"},
		{`{ "schema" : null, "payload" : 1 }`, EnvelopeForm, 0, "Kafka Connect"},
		{`{"schema":1}`, JSONForm, 0, "JSON"},
		{"\x02", Unrecognized, 0, ""},
		{"", Unrecognized, 0, ""},
	} {
		look := Recognize([]byte(c.value))
		if look.Form != c.form || look.HeaderLen != c.length || !strings.Contains(look.Header, c.says) {
			t.Errorf("%q looks like %+v", c.value, look)
		}
	}
}

func TestApicuriosHeaderIsAnIDOfEightBytes(t *testing.T) {
	g := newGuarded(t)
	read := func(text string) (uint32, int, error) {
		id, _, length, err := Apicurio(g.put([]byte(text)))
		return id, length, err
	}
	if id, length, err := read("\x00\x00\x00\x00\x00\xff\xff\xff\xffab"); id != 1<<32-1 || length != 2 || err != nil {
		t.Error(id, length, err)
	}
	for text, want := range map[string]string{
		"":                            "shorter than the 9 bytes",
		"\x00\x00\x00\x00\x01abc":     "shorter than the 9 bytes",
		"\x01":                        "begins with byte 0x01",
		"\x00\x00\x00\x00\x01abcdefg": "more than any registry's",
	} {
		if _, _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, _, _, err := Apicurio(nil, -1); err != ErrNull { //nolint:errorlint // the very same
		t.Error(err)
	}
}

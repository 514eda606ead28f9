package mock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/linkedin/goavro/v2"
)

// encoder turns plain JSON values into Avro bodies. goavro writes the bytes: an implementation of its own, so that
// what is tested with the mock is not tested against itself. Its reading of plain JSON is not used, since it takes
// numbers for floats (wrong past 2^53) and cannot tell most unions; nor are its names, defaults and logical types.
// It gets a schema of bare types, and values that are laid out for it.
type encoder struct {
	root  *node
	codec *goavro.Codec
}

func newEncoder(text string) (*encoder, error) {
	schema, err := parseJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	p := parser{named: map[string]*node{}}
	root, err := p.parse(schema, "")
	if err != nil {
		return nil, err
	}
	bare, err := json.Marshal(root.bare(map[*node]bool{}))
	if err != nil {
		return nil, err
	}
	codec, err := goavro.NewCodec(string(bare))
	if err != nil {
		return nil, err
	}
	return &encoder{root, codec}, nil
}

// encode appends the body of one plain JSON value to buf.
func (e *encoder) encode(buf []byte, record json.RawMessage) ([]byte, error) {
	value, err := parseJSON(record)
	if err != nil {
		return nil, err
	}
	native, err := e.root.native(value)
	if err != nil {
		return nil, err
	}
	return e.codec.BinaryFromNative(buf, native)
}

// parseJSON keeps numbers as they are written.
func parseJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("empty")
		}
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON: something follows the value")
	}
	return value, nil
}

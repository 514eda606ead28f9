package cluster

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// What is read of an answer that brings no records. 16 MiB of metadata name 300,000 partitions of three replicas.
const (
	maxMetadataBytes   = 16 << 20
	leastMetadataBytes = 1 << 20
	maxOtherBytes      = 1 << 20
)

// incoming is a connection that bounds the answers of a broker, by what was asked, before the client allocates anything for them: it knows one bound for all, which has to leave room for records.
type incoming struct {
	net.Conn
	address  string
	metadata int32 // bound of answers that name partitions
	most     int32 // the client's own bound
	// unanswered: Produce requests get no answer.
	unanswered bool

	mu    sync.Mutex
	asked []request // not answered yet: brokers answer in turn

	ready   []byte // checked, to be handed out
	through int    // bytes that follow and are not looked at: records
}

// request is what an answer's form depends on.
type request struct{ key, version int16 }

// answerError is an answer that is not read. Another try would bring it again.
type answerError struct {
	address string
	request request
	err     error
}

func (e *answerError) Error() string {
	return fmt.Sprintf("%s: its answer to %s (version %d) is not read: %v", e.address, kmsg.Key(e.request.key).Name(), e.request.version, e.err)
}
func (e *answerError) Unwrap() error { return e.err }

// Write notes which request is sent: the client writes each in one call.
func (c *incoming) Write(p []byte) (int, error) {
	var r request
	if len(p) >= 8 {
		r.key, r.version = int16(binary.BigEndian.Uint16(p[4:])), int16(binary.BigEndian.Uint16(p[6:])) //nolint:gosec // they are signed
	}
	if len(p) < 8 || r.key != kmsg.Produce.Int16() || !c.unanswered {
		c.mu.Lock()
		c.asked = append(c.asked, r)
		c.mu.Unlock()
	}
	return c.Conn.Write(p)
}

// Read hands out what was checked.
func (c *incoming) Read(p []byte) (int, error) {
	if len(c.ready) == 0 && c.through == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if len(c.ready) > 0 {
		n := copy(p, c.ready)
		c.ready = c.ready[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.through)])
	c.through -= n
	return n, err
}

// answered is the request that the next answer is for.
func (c *incoming) answered() request {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) == 0 {
		return request{key: -1}
	}
	r := c.asked[0]
	c.asked = c.asked[1:]
	return r
}

// An answer is its length, the number of its request and, of a flexible one, tags, of which Kafka has none.
const (
	sizeBytes   = 4
	numberBytes = 4
)

// next checks an answer: whole, or its head where records follow.
func (c *incoming) next() error {
	head := make([]byte, sizeBytes)
	if _, err := io.ReadFull(c.Conn, head); err != nil {
		return err
	}
	size := int32(binary.BigEndian.Uint32(head)) //nolint:gosec // checked below
	if size < numberBytes || size > c.most {     // the client says what that may be, such as an answer in HTTP
		c.ready = head
		return nil
	}
	r := c.answered()
	if bound := c.bound(r.key); size > bound {
		return &answerError{c.address, r, fmt.Errorf("it has %d bytes, and at most %d are read (for metadata: 16 MiB, or a 64th of memory_limit, but at least 1 MiB)", size, bound)}
	}
	form := layouts[r.key]
	body := int(size)
	if r.key == kmsg.Fetch.Int16() {
		body = min(body, numberBytes+1)
	}
	c.ready = append(make([]byte, 0, sizeBytes+body), head...)[:sizeBytes+body]
	if _, err := io.ReadFull(c.Conn, c.ready[sizeBytes:]); err != nil {
		c.ready = nil
		return err
	}
	c.through = int(size) - body
	if form == nil {
		return nil
	}
	rest := c.ready[sizeBytes+numberBytes:]
	if r.version >= form.flexible {
		if len(rest) == 0 || rest[0] != 0 {
			return &answerError{c.address, r, errTags}
		}
		rest = rest[1:]
	}
	if r.key == kmsg.Fetch.Int16() {
		return nil
	}
	if err := form.walk(rest, r.version); err != nil {
		return &answerError{c.address, r, err}
	}
	return nil
}

func (c *incoming) bound(key int16) int32 {
	switch key {
	case kmsg.Fetch.Int16():
		return c.most
	case kmsg.Metadata.Int16(), kmsg.ListOffsets.Int16():
		return min(c.metadata, c.most)
	}
	return min(maxOtherBytes, c.most)
}

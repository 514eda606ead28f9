package avro

import "unsafe"

// What a plan keeps on Go's heap, measured with schemas of many kinds: a column has its layout, Arrow field and type, and each Columns has another object for it.
const (
	layoutBytes    = 700
	columnBytes    = 400
	columnsBytes   = 1500 // and what they share
	bytesPerLetter = 8    // of a schema's text, of which the parsed schema is made
)

// Bytes estimates the memory of the plan, without that of its schema's text.
func (p *Plan) Bytes() int {
	n := int(unsafe.Sizeof(*p)) + p.columns*layoutBytes
	for i := range p.steps {
		s := &p.steps[i]
		n += int(unsafe.Sizeof(*s)) + len(s.path) + 8*len(s.table) + len(s.body) + 8*len(s.skipped)
		for _, text := range s.unreadable {
			n += 16 + len(text)
		}
	}
	return n
}

// TextBytes estimates the memory of what is made of a schema's text.
func TextBytes(text int) int { return bytesPerLetter * text }

// ColumnBytes estimates the memory of the plan's Columns without rows.
func (p *Plan) ColumnBytes() int { return columnsBytes + p.columns*columnBytes }

// BoundBytes estimates the memory of an Appender.
func (p *Plan) BoundBytes() int { return len(p.steps) * int(unsafe.Sizeof(boundStep{})) }

package protobuf

import "github.com/pykafarr/pykafarr/kafarr/format"

// textPerLook is the text after which it is looked whether a row that takes long is to be given up.
const textPerLook = 1 << 20

// recovered turns the end of a row in the midst of an append into its error.
func (a *Appender) recovered(p any) error {
	why, bytes := a.effort.Recovered(p)
	a.fail(faultOf[why], nil, bytes)
	a.drop()
	return a.failure.err(a, a.effort.BodyLen())
}

var faultOf = [...]fault{format.OverMemory: faultMemory, format.OverColumns: faultFull, format.OverTime: faultLong, format.OverSystem: faultNoMemory}

// count notes something of the row that is being written.
func (a *Appender) count(c *format.Counts) {
	if a.again {
		return
	}
	of := a.tally.Row(a.columns.Rows())
	*of = of.Plus(*c)
}

// Counts implements format.Appender.
func (a *Appender) Counts(n int) format.Counts { return a.tally.Before(a.effort.First() + n) }

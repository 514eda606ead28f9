package protobuf

import (
	"time"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
	"github.com/pykafarr/pykafarr/kafarr/format"
)

// What a message may take for each of its bytes, besides Limits.MessageBytes and Limits.MessageSteps. Beyond the first MiB a byte has fewer steps: a message of
// hundreds of them would else be read for minutes.
const (
	bytesPerByte     = 96
	stepsPerByte     = 64
	stepsPerFarByte  = 4
	nearBytes        = 1 << 20
	looksPerMessage  = 8         // how often it is looked at what a message takes, while it takes all that it may
	stepsPerAppend   = 4_000_000 // after which Append returns, so that its caller can look at the clock
	bytesPerTextStep = 8         // text that is made of a value costs time as steps do
	stepsPerLook     = 1 << 20   // some milliseconds, as the next two: after which it is looked whether a row is to be given up
	bytesPerLook     = 1 << 18
	textPerLook      = 1 << 20
)

// overrun is what ends a row that takes more than it may, in the midst of an append.
type overrun fault

// bodyLen is the length of the body that is being read.
func (a *Appender) bodyLen() int { return max(0, a.bodies[a.columns.Rows()-a.first].Len) }

// settle looks at what the columns hold: column.Budget calls it now and then while they grow.
func (a *Appender) settle(pending int) int {
	may := a.limits.MessageBytes + bytesPerByte*a.bodyLen()
	if pending+a.columns.RowSize() > may {
		panic(overrun(faultMemory))
	}
	if a.columns.TooLarge(pending) {
		panic(overrun(faultFull))
	}
	return may / looksPerMessage
}

// recovered turns the end of a row in the midst of an append into its error. Memory that the system does not have is asked for once more by the next columns,
// where the row may stand alone; there it is the row's fault.
func (a *Appender) recovered(p any) error {
	switch p := p.(type) {
	case overrun:
		a.fail(fault(p), nil, 0)
	case cmem.NoMemory:
		a.fail(faultFull, nil, 0)
		if a.columns.Rows() == 0 {
			a.fail(faultNoMemory, nil, int64(p))
		}
	default:
		panic(p)
	}
	a.drop()
	return a.failure.err(a, a.bodyLen())
}

// spend counts steps that the body's length does not bound, and reports whether the message has them.
func (a *Appender) spend(steps int64) bool {
	a.work += steps
	return a.work <= a.lookWork || a.spendMore()
}

func (a *Appender) spendMore() bool {
	n := a.bodyLen()
	near := min(n, nearBytes)
	may := int64(a.limits.MessageSteps + stepsPerByte*near + stepsPerFarByte*(n-near))
	if a.work > may {
		return false
	}
	a.checkTime()
	a.lookWork = min(a.work+stepsPerLook, may)
	return true
}

// passed looks whether the row, which has been read up to pos, is to be given up.
func (a *Appender) passed(pos int) {
	a.checkTime()
	a.lookPos = pos + bytesPerLook
}

// checkTime gives the row up, by a panic that Append recovers from, where it takes too long.
func (a *Appender) checkTime() {
	if a.mayContinue != nil {
		if !a.mayContinue() {
			panic(overrun(faultLong))
		}
		return
	}
	if a.patience == 0 {
		return
	}
	now := time.Now() // not asked for at each row, most of which take less than a microsecond
	if a.looked != a.columns.Rows() {
		a.looked, a.since = a.columns.Rows(), now
	} else if now.Sub(a.since) > a.patience {
		panic(overrun(faultLong))
	}
}

// counted is what a row has that is not in the columns as it stood there.
type counted struct {
	row    int
	counts format.Counts
}

// count notes something of the row that is being written.
func (a *Appender) count(c *format.Counts) {
	if a.again {
		return
	}
	if last := len(a.counts) - 1; last < 0 || a.counts[last].row != a.columns.Rows() {
		a.counts = append(a.counts, counted{row: a.columns.Rows()})
	}
	of := &a.counts[len(a.counts)-1].counts
	*of = of.Plus(*c)
}

// Counts implements format.Appender. Of the bodies after the first n nothing counts: they are appended again.
func (a *Appender) Counts(n int) (c format.Counts) {
	for _, of := range a.counts {
		if of.row < a.first+n {
			c = c.Plus(of.counts)
		}
	}
	return c
}

package avro

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

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
	bytesPerTextStep = 8         // text that is made of a value, and defaults, cost time as steps do
	stepsPerLook     = 1 << 20   // some milliseconds, as the next three: after which it is looked whether a row is to be given up
	bytesPerLook     = 1 << 18
	textPerLook      = 1 << 20
	itemStepsPerLook = 1 << 12 // of the items of a block
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
		a.fail(fault(p), len(a.steps), 0)
	case cmem.NoMemory:
		a.fail(faultFull, len(a.steps), 0)
		if a.columns.Rows() == 0 {
			a.fail(faultNoMemory, len(a.steps), int64(p))
		}
	default:
		panic(p)
	}
	a.columns.Truncate(a.columns.Rows())
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
	if a.Look != nil {
		if !a.Look() {
			panic(overrun(faultLong))
		}
		return
	}
	if a.Patience == 0 {
		return
	}
	now := time.Now() // not asked for at each row, most of which take less than a microsecond
	if a.looked != a.columns.Rows() {
		a.looked, a.since = a.columns.Rows(), now
	} else if now.Sub(a.since) > a.Patience {
		panic(overrun(faultLong))
	}
}

// weigh notes what steps cost beside themselves: those of an item, of a record's fields, of the nulls of a union's other members.
func weigh(steps []step, all []*layout) {
	direct := func(lo, hi int) (n int) {
		for ; lo < hi; lo = steps[lo].end {
			n++
		}
		return n
	}
	for i := range steps {
		s := &steps[i]
		switch s.code {
		case opArray:
			s.work = direct(i+1, s.end)
		case opDefault:
			s.work = direct(i+1, s.end) + len(s.body)/bytesPerTextStep
		case opRecord:
			s.size = direct(i+1, s.end)
			fallthrough
		case opMember, opNull, opNullUnion:
			if s.column != noColumn {
				s.work = all[s.column].columns()
			}
		}
	}
}

// columns counts the columns that a null of this one is appended to.
func (l *layout) columns() int {
	if l.nulls == 0 {
		l.nulls = 1
		if _, isStruct := l.field.Type.(*arrow.StructType); isStruct {
			for _, k := range l.kids {
				l.nulls += k.columns()
			}
		}
	}
	return l.nulls
}

// list enters the layouts by id.
func list(kids []*layout, to []*layout) {
	for _, k := range kids {
		to[k.id] = k
		list(k.kids, to)
	}
}

func memoryText(limits *format.Limits) string {
	return fmt.Sprintf("the message takes more memory than its limit: %d bytes and %d for each of its own; limits={\"message_bytes\"} sets it", limits.MessageBytes, bytesPerByte)
}

func stepsText(limits *format.Limits) string {
	return fmt.Sprintf("the message has more values than its limit: %d and %d for each of its bytes, those of no bytes counted; limits={\"message_steps\"} sets it", limits.MessageSteps, stepsPerByte)
}

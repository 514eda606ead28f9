package format

import (
	"fmt"
	"time"

	"github.com/pykafarr/pykafarr/kafarr/cmem"
)

// What a message may take for each of its bytes, besides Limits.MessageBytes and Limits.MessageSteps. Beyond the first MiB a byte has fewer steps: a message of
// hundreds of them would else be read for minutes.
const (
	bytesPerByte    = 96
	stepsPerByte    = 64
	stepsPerFarByte = 4
	nearBytes       = 1 << 20
	looksPerMessage = 8         // how often it is looked at what a message takes, while it takes all that it may
	stepsPerAppend  = 4_000_000 // after which Append returns, so that its caller can look at the clock
	stepsPerLook    = 1 << 20   // some milliseconds, as the next one: after which it is looked whether a row is to be given up
	bytesPerLook    = 1 << 18
)

// BytesPerTextStep is the text that costs as much time as a step: text that is made of a value, and defaults.
const BytesPerTextStep = 8

// Effort is what an Appender spends on the bodies that it reads, and what each of them may cost: memory, steps and time. The bounds are the same for all formats. What ends a row in the
// midst of an append is a panic, of which Overrun says why.
type Effort struct {
	// LookAt is how far the body may be read before Passed is to be called.
	LookAt int

	columns     *Columns
	limits      Limits
	work        int64                 // of this row, steps that its length does not bound
	lookWork    int64                 // there is another look when there are more of them
	firstWork   int64                 // lookWork of a new row
	worked      int64                 // of the rows of this append
	looked      int                   // the row of the last look
	since       time.Time             // of the first look at it
	look        func(pending int) int // settle, as a value that is made once
	bodies      []Body                // that are being appended
	first       int                   // the row of the first of them
	timeout     time.Duration         // 0: a row may take as long as it takes
	mayContinue func() bool           // replaces the timeout; nil: it holds
}

// Bind joins it to the columns that rows are appended to. It must not be copied afterwards.
func (e *Effort) Bind(columns *Columns, limits Limits) {
	e.columns, e.limits = columns, limits
	e.look, e.firstWork = e.settle, min(stepsPerLook, int64(limits.MessageSteps))
}

// SetRowTimeout is Appender.SetRowTimeout.
func (e *Effort) SetRowTimeout(timeout time.Duration) { e.timeout = timeout }

// SetContinue is Appender.SetContinue.
func (e *Effort) SetContinue(mayContinue func() bool) { e.mayContinue = mayContinue }

// Begin begins with the bodies of an append, which End ends.
func (e *Effort) Begin(bodies []Body) {
	e.bodies, e.first = bodies, e.columns.Rows()
	e.worked, e.looked = 0, -1
	e.columns.Observe(e.look)
}

// End ends what Begin has begun.
func (e *Effort) End() {
	e.bodies = nil
	e.columns.Observe(nil)
}

// Appended is how many bodies of this append are rows.
func (e *Effort) Appended() int { return e.columns.Rows() - e.first }

// First is the row of the first body of the last append.
func (e *Effort) First() int { return e.first }

// Row begins with the next body.
func (e *Effort) Row() { e.work, e.lookWork, e.LookAt = 0, e.firstWork, bytesPerLook }

// Enough adds up what a row took, and reports whether the append is to return.
func (e *Effort) Enough() bool {
	if e.work == 0 {
		return false
	}
	e.worked += e.work
	return e.worked > stepsPerAppend
}

// Body is the body that is being read.
func (e *Effort) Body() Body {
	if i := e.Appended(); i < len(e.bodies) {
		return e.bodies[i]
	}
	return Body{}
}

// BodyLen is the length of the body that is being read.
func (e *Effort) BodyLen() int { return max(0, e.Body().Len) }

// settle looks at what the columns hold: column.Budget calls it now and then while they grow.
func (e *Effort) settle(pending int) int {
	may := e.limits.MessageBytes + bytesPerByte*e.BodyLen()
	if pending+e.columns.RowSize() > may {
		panic(overrun(OverMemory))
	}
	if e.columns.TooLarge(pending) {
		panic(overrun(OverColumns))
	}
	return may / looksPerMessage
}

// Spend counts steps that the body's length does not bound, and reports whether the message has them.
func (e *Effort) Spend(steps int64) bool {
	e.work += steps
	return e.work <= e.lookWork || e.spendMore()
}

func (e *Effort) spendMore() bool {
	n := e.BodyLen()
	near := min(n, nearBytes)
	may := int64(e.limits.MessageSteps + stepsPerByte*near + stepsPerFarByte*(n-near))
	if e.work > may {
		return false
	}
	e.CheckTime()
	e.lookWork = min(e.work+stepsPerLook, may)
	return true
}

// Passed looks whether the row, which has been read up to pos, is to be given up.
func (e *Effort) Passed(pos int) {
	e.CheckTime()
	e.LookAt = pos + bytesPerLook
}

// CheckTime gives the row up, by a panic that Append recovers from, where it takes too long.
func (e *Effort) CheckTime() {
	if e.mayContinue != nil {
		if !e.mayContinue() {
			panic(overrun(OverTime))
		}
		return
	}
	if e.timeout == 0 {
		return
	}
	now := time.Now() // not asked for at each row, most of which take less than a microsecond
	if e.looked != e.columns.Rows() {
		e.looked, e.since = e.columns.Rows(), now
	} else if now.Sub(e.since) > e.timeout {
		panic(overrun(OverTime))
	}
}

// Overrun is why a row ended in the midst of an append.
type Overrun int

const (
	// OverMemory: the message takes more memory than its limit.
	OverMemory Overrun = iota
	// OverColumns: the columns hold what they may.
	OverColumns
	// OverTime: the row takes long, and was given up.
	OverTime
	// OverSystem: the system has no memory for it.
	OverSystem
)

// overrun is an Overrun on its way to the Append that recovers it.
type overrun Overrun

// Recovered says why a row ended that a panic has ended, and for OverSystem how many bytes the system refused. A panic of another kind continues. Memory that the system does not have is
// asked for once more by the next columns, where the row may stand alone; there it is the row's fault.
func (e *Effort) Recovered(p any) (why Overrun, bytes int64) {
	switch p := p.(type) {
	case overrun:
		return Overrun(p), 0
	case cmem.NoMemory:
		if e.columns.Rows() == 0 {
			return OverSystem, int64(p)
		}
		return OverColumns, 0
	}
	panic(p)
}

// MemoryText is the error of a message that takes more memory than its limit.
func (l *Limits) MemoryText() string {
	return fmt.Sprintf("the message takes more memory than its limit: %d bytes and %d for each of its own; limits={\"message_bytes\"} sets it", l.MessageBytes, bytesPerByte)
}

// StepsText is the error of a message that has more values than its limit. counted says what counts besides the usual.
func (l *Limits) StepsText(counted string) string {
	return fmt.Sprintf("the message has more values than its limit: %d and %d for each of its bytes%s; limits={\"message_steps\"} sets it", l.MessageSteps, stepsPerByte, counted)
}

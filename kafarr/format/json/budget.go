package json

import "github.com/pykafarr/pykafarr/kafarr/format"

// recovered turns the end of a row in the midst of an append into its error.
func (a *Appender) recovered(p any) error {
	why, bytes := a.effort.Recovered(p)
	a.failure = failure{fault: faultOf[why], bytes: int(bytes)}
	return a.giveUp()
}

var faultOf = [...]fault{format.OverMemory: faultMemory, format.OverColumns: faultFull, format.OverTime: faultLong, format.OverSystem: faultNoMemory}

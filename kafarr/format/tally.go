package format

// Tally keeps the Counts of the rows of an append. Few rows have any.
type Tally []tallied

type tallied struct {
	row    int
	counts Counts
}

// Row is where the counts of a row are kept. Rows come in their order.
func (t *Tally) Row(row int) *Counts {
	if last := len(*t) - 1; last < 0 || (*t)[last].row != row {
		*t = append(*t, tallied{row: row})
	}
	return &(*t)[len(*t)-1].counts
}

// Before adds up the counts of the rows before one. Those of the others do not count: they are appended again.
func (t Tally) Before(row int) (c Counts) {
	for i := range t {
		if t[i].row < row {
			c = c.Plus(t[i].counts)
		}
	}
	return c
}

package kafarr

// Task is a part of a plan that can be read by itself, anywhere.
type Task struct {
	ScanRange
	plan *Plan
}

// Tasks cuts the plan into ranges of at most maxRows offsets; 0: one for each partition. Partitions that have nothing have none.
func (p *Plan) Tasks(maxRows int64) []Task {
	var out []Task
	for _, r := range p.Partitions {
		step := maxRows
		if step <= 0 {
			step = r.End - r.Start
		}
		for start := r.Start; start < r.End; {
			part := r
			part.Start, part.End = start, r.End
			if r.End-start > step { // in this way no sum overflows
				part.End = start + step
			}
			out = append(out, Task{part, p})
			start = part.End
		}
	}
	return out
}

// Read begins to read the task's range.
func (t Task) Read() *Stream { return t.plan.read([]ScanRange{t.ScanRange}) }

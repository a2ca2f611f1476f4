package lines

// Fragment is the rest of a line whose beginning is not known. It goes up to the next
// newline, or until a carriage return begins the line anew, and does not count as a line.
type Fragment struct {
	// Open reports that its end has not come yet.
	Open bool

	returned bool // a carriage return has come, and nothing after it yet
}

// After returns the part of data after the fragment: all of data if the fragment
// has ended before.
func (f *Fragment) After(data []byte) []byte {
	for i := 0; f.Open && i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			*f = Fragment{}
			return data[i+1:]
		case c == '\r':
			f.returned = true
		case f.returned:
			*f = Fragment{}
			return data[i:]
		}
	}
	if f.Open {
		return nil
	}
	return data
}

package logfile

// lockDir does nothing on this system.
func lockDir(string) (unlock func()) { return func() {} }

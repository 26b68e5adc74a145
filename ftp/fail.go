package ftp

// fail returns the reply to an error of the FS. An error that is not in the table is logged.
func (s *session) fail(what, name string, err error) reply {
	s.seeError(err)
	r, known := errorReply(err)
	if !known {
		s.logError(what, name, err)
	}
	return r
}

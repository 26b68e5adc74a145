module ferry/bench/peers/ftpserverlib

go 1.26

require (
	github.com/fclairamb/ftpserverlib v0.30.0
	github.com/spf13/afero v1.15.0
)

require (
	golang.org/x/sys v0.40.0 // indirect
	golang.org/x/text v0.28.0 // indirect
)

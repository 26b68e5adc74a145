package ftp

// CommandInfo describes one command that the engine implements.
type CommandInfo struct {
	Name  string // "RETR", "SITE CHMOD"
	Usage string // its argument, as HELP shows it
	RFC   string // "RFC 959 4.1.3"
}

// Commands returns the commands of the engine in the order of its table. doc/rfc.md is generated
// from it.
func Commands() []CommandInfo {
	var all []CommandInfo
	for _, c := range commandRows() {
		all = append(all, CommandInfo{c.name, c.usage, c.rfc})
	}
	for _, c := range siteRows() {
		all = append(all, CommandInfo{"SITE " + c.name, c.usage, c.rfc})
	}
	return all
}

func commandRows() []command {
	return []command{
		// Access control.
		{name: "USER", run: (*session).user, arity: required, usage: "<name>", rfc: "RFC 959 4.1.1"},
		{name: "PASS", run: (*session).pass, usage: "<password>", rfc: "RFC 959 4.1.1"},
		{name: "ACCT", run: (*session).acct, usage: "<account>", rfc: "RFC 959 4.1.1"},
		{name: "REIN", run: (*session).rein, arity: none, rfc: "RFC 959 4.1.1"},
		{name: "QUIT", run: (*session).quit, rfc: "RFC 959 4.1.1"},
		{name: "CWD", run: (*session).chdir, phase: loggedIn, usage: "[<directory>]", rfc: "RFC 959 4.1.1"},
		{name: "XCWD", run: (*session).chdir, phase: loggedIn, usage: "[<directory>]", rfc: "RFC 775; RFC 1123 4.1.3.1"},
		{name: "CDUP", run: (*session).cdup, phase: loggedIn, rfc: "RFC 959 4.1.1"},
		{name: "XCUP", run: (*session).cdup, phase: loggedIn, rfc: "RFC 775; RFC 1123 4.1.3.1"},
		{name: "HOST", run: (*session).host, phase: beforeUser, arity: required, usage: "<host name>", feat: "HOST", rfc: "RFC 7151 3"},
		{name: "CLNT", run: (*session).clnt, usage: "<client name>", feat: "CLNT", rfc: "common extension"},

		// Security.
		{name: "AUTH", run: (*session).auth, arity: required, usage: "TLS|SSL", featNow: (*session).featAuth, rfc: "RFC 2228 3; RFC 4217 4"},
		{name: "PBSZ", run: (*session).pbsz, arity: required, usage: "0", featNow: featTLS("PBSZ"), rfc: "RFC 2228 3; RFC 4217 8"},
		{name: "PROT", run: (*session).prot, arity: required, usage: "C|P", featNow: featTLS("PROT"), rfc: "RFC 2228 3; RFC 4217 9"},
		{name: "CCC", run: (*session).ccc, arity: none, rfc: "RFC 2228 3; RFC 4217 6"},

		// Transfer parameters.
		{name: "TYPE", run: (*session).typ, arity: required, usage: "A [N|T] | I | L 8", rfc: "RFC 959 4.1.2"},
		{name: "STRU", run: (*session).stru, arity: required, usage: "F", rfc: "RFC 959 4.1.2"},
		{name: "MODE", run: (*session).mode, arity: required, usage: "S|Z", feat: "MODE Z", rfc: "RFC 959 4.1.2; draft-preston-ftpext-deflate"},
		{name: "PORT", run: (*session).port, arranges: true, phase: loggedIn, arity: required, usage: "h1,h2,h3,h4,p1,p2", rfc: "RFC 959 4.1.2"},
		{name: "PASV", run: (*session).pasv, arranges: true, phase: loggedIn, rfc: "RFC 959 4.1.2"},
		{name: "EPRT", run: (*session).eprt, arranges: true, phase: loggedIn, arity: required, usage: "|1|<address>|<port>|", feat: "EPRT", rfc: "RFC 2428 2"},
		{name: "EPSV", run: (*session).epsv, arranges: true, phase: loggedIn, usage: "[1|2|ALL]", feat: "EPSV", rfc: "RFC 2428 3"},

		// Service.
		{name: "RETR", run: (*session).retr, moves: toClient, phase: loggedIn, arity: required, usage: "<file>", rfc: "RFC 959 4.1.3"},
		{name: "STOR", run: (*session).stor, moves: fromClient, phase: loggedIn, arity: required, usage: "<file>", rfc: "RFC 959 4.1.3"},
		{name: "STOU", run: (*session).stou, moves: fromClient, phase: loggedIn, usage: "[<name to begin with>]", rfc: "RFC 959 4.1.3; RFC 1123 4.1.2.9"},
		{name: "APPE", run: (*session).appe, moves: fromClient, phase: loggedIn, arity: required, usage: "<file>", rfc: "RFC 959 4.1.3"},
		{name: "ALLO", run: (*session).allo, phase: loggedIn, arity: required, usage: "<bytes> [R <bytes>]", rfc: "RFC 959 4.1.3"},
		{name: "REST", run: (*session).rest, phase: loggedIn, arity: required, usage: "<offset>", feat: "REST STREAM", rfc: "RFC 959 4.1.3; RFC 3659 5"},
		{name: "RNFR", run: (*session).rnfr, phase: loggedIn, arity: required, usage: "<old name>", rfc: "RFC 959 4.1.3"},
		{name: "RNTO", run: (*session).rnto, phase: loggedIn, arity: required, usage: "<new name>", rfc: "RFC 959 4.1.3"},
		{name: "ABOR", run: (*session).abor, rfc: "RFC 959 4.1.3"},
		{name: "DELE", run: (*session).dele, phase: loggedIn, arity: required, usage: "<file>", rfc: "RFC 959 4.1.3"},
		{name: "RMD", run: (*session).rmd, phase: loggedIn, arity: required, usage: "<directory>", rfc: "RFC 959 4.1.3"},
		{name: "XRMD", run: (*session).rmd, phase: loggedIn, arity: required, usage: "<directory>", rfc: "RFC 775; RFC 1123 4.1.3.1"},
		{name: "MKD", run: (*session).mkd, phase: loggedIn, arity: required, usage: "<directory>", rfc: "RFC 959 4.1.3"},
		{name: "XMKD", run: (*session).mkd, phase: loggedIn, arity: required, usage: "<directory>", rfc: "RFC 775; RFC 1123 4.1.3.1"},
		{name: "PWD", run: (*session).pwd, phase: loggedIn, rfc: "RFC 959 4.1.3"},
		{name: "XPWD", run: (*session).pwd, phase: loggedIn, rfc: "RFC 775; RFC 1123 4.1.3.1"},
		{name: "LIST", run: (*session).list, moves: toClient, phase: loggedIn, usage: "[<path or pattern>]", rfc: "RFC 959 4.1.3"},
		{name: "NLST", run: (*session).nlst, moves: toClient, phase: loggedIn, usage: "[<path or pattern>]", rfc: "RFC 959 4.1.3"},
		{name: "MLSD", run: (*session).mlsd, moves: toClient, phase: loggedIn, usage: "[<directory>]", rfc: "RFC 3659 7"},
		{name: "MLST", run: (*session).mlst, phase: loggedIn, usage: "[<path>]", featNow: (*session).featMLST, rfc: "RFC 3659 7"},
		{name: "SIZE", run: (*session).size, phase: loggedIn, arity: required, usage: "<file>", feat: "SIZE", rfc: "RFC 3659 4"},
		{name: "MDTM", run: (*session).mdtm, phase: loggedIn, arity: required, usage: "[<time>] <file>", feat: "MDTM", rfc: "RFC 3659 3"},
		{name: "MFMT", run: (*session).mfmt, phase: loggedIn, arity: required, usage: "<time> <file>", featNow: featTimes("MFMT"), rfc: "draft-somers-ftp-mfxx 3.1"},
		{name: "HASH", run: (*session).hash, phase: loggedIn, arity: required, usage: "<file>", featNow: (*session).featHash, rfc: "draft-bryan-ftpext-hash"},
		{name: "RANG", run: (*session).rang, phase: loggedIn, arity: required, usage: "<first> <last>", feat: "RANG STREAM", rfc: "draft-bryan-ftp-range"},
		{name: "XCRC", run: xhash("crc32"), phase: loggedIn, arity: required, usage: `"<file>" [[<start>] <end>]`, feat: "XCRC", rfc: "common extension"},
		{name: "XMD5", run: xhash("md5"), phase: loggedIn, arity: required, usage: `"<file>" [[<start>] <end>]`, feat: "XMD5", rfc: "common extension"},
		{name: "XSHA1", run: xhash("sha1"), phase: loggedIn, arity: required, usage: `"<file>" [[<start>] <end>]`, feat: "XSHA1", rfc: "common extension"},
		{name: "XSHA256", run: xhash("sha256"), phase: loggedIn, arity: required, usage: `"<file>" [[<start>] <end>]`, feat: "XSHA256", rfc: "common extension"},
		{name: "XSHA512", run: xhash("sha512"), phase: loggedIn, arity: required, usage: `"<file>" [[<start>] <end>]`, feat: "XSHA512", rfc: "common extension"},
		{name: "AVBL", run: (*session).avbl, phase: loggedIn, usage: "[<directory>]", feat: "AVBL", rfc: "draft-peterson-streamlined-ftp-command-extensions 4"},
		{name: "SITE", run: (*session).site, arity: required, usage: "<subcommand>", rfc: "RFC 959 4.1.3"},

		// Information.
		{name: "SYST", run: (*session).syst, rfc: "RFC 959 4.1.3"},
		{name: "STAT", run: (*session).stat, usage: "[<path>]", rfc: "RFC 959 4.1.3"},
		{name: "HELP", run: (*session).help, usage: "[<command>]", rfc: "RFC 959 4.1.3"},
		{name: "NOOP", run: (*session).noop, rfc: "RFC 959 4.1.3"},
		{name: "FEAT", run: (*session).featList, arity: none, rfc: "RFC 2389 3"},
		{name: "OPTS", run: (*session).opts, arity: required, usage: "<command> [<options>]", feat: "UTF8", rfc: "RFC 2389 4"},
		{name: "LANG", run: (*session).lang, usage: "[EN]", feat: "LANG EN*", rfc: "RFC 2640 4"},
	}
}

// siteRows are the subcommands of SITE.
func siteRows() []command {
	return []command{
		{name: "HELP", run: (*session).siteHelp, rfc: "RFC 959 4.1.3"},
		{name: "CHMOD", run: (*session).siteChmod, phase: loggedIn, arity: required, usage: "<mode> <path>", rfc: "common extension"},
		{name: "UTIME", run: (*session).siteUtime, phase: loggedIn, arity: required, usage: "<time> <path>", featNow: featTimes("SITE UTIME"), rfc: "common extension"},
	}
}

package ftp

import (
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// listed is what a line of LIST says on the 10th of March 2026.
func listed(line string) (remote.Entry, bool) {
	e, what := parseList(line, time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	return e, what == isEntry
}

// listedLine is a line as a server writes it, and what it says.
type listedLine struct {
	line string
	want remote.Entry
}

func file(name string, size int64, t time.Time) remote.Entry {
	return remote.Entry{Name: name, Size: size, ModTime: t}
}

func folder(name string, t time.Time) remote.Entry {
	return remote.Entry{Name: name, Dir: true, ModTime: t}
}

// at is a time in UTC: year, month, day, hour, minute, second.
func at(n ...int) time.Time {
	n = append(n, 0, 0, 0)
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
}

// listedLines are those of servers in use, one group for each form. Names and times are made up.
func listedLines() map[string][]listedLine {
	march := at(2026, 3, 5, 10, 11)
	return map[string][]listedLine{
		"ls": {
			{"-rw-r--r--    1 0        0               5 Mar 09 13:01 f", file("f", 5, at(2026, 3, 9, 13, 1))},
			{"-rw-r--r--+   1 bob bob    5 Nov  2 13:01  a  b ", file(" a  b ", 5, at(2025, 11, 2, 13, 1))},
			{"-rw-r--r--.   1 bob bob    5 Mar  5 10:11 selinux", file("selinux", 5, march)},
			{"-rw-r--r--@   1 bob staff    5 Mar  5 10:11 mac", file("mac", 5, march)},
			{"-rw-r--r--    1 0        0      4294967296 Jan 31  2019 f -> g", file("f -> g", 1<<32, at(2019, 1, 31))},
			{"drwxr-xr-x    2 0        0            4096 Mar 11 01:00 d", folder("d", at(2026, 3, 11, 1))},
			{"drwxrwsr-t 1024 0        0            4096 Mar  5 10:11 sticky", folder("sticky", march)},
			{"-rw-r--r-- 1 0 0 5 Mar 5 10:11 Mar 5 10:12 twice", file("Mar 5 10:12 twice", 5, march)},
			{"-rw-r--r-- 1 May 5 2000 Mar  5 10:11 owner", file("owner", 2000, march)},
			{"-rw-r--r--   1 bob bob        5 Mar  5 10:11:12 2024 ls -lT", file("ls -lT", 5, at(2024, 3, 5, 10, 11, 12))},
		},
		"owners and groups": {
			{"-rw-r--r--   1 bob domain users    1234 Mar  5 10:11 f", file("f", 1234, march)},
			{`-rw-r--r--   1 CORP\bob CORP\Domain Users of All    1234 Mar  5 10:11 f g`, file("f g", 1234, march)},
			{"drwxr-xr-x   2 bob smith staff all of us 4096 Mar  5  2024 d", folder("d", at(2024, 3, 5))},
			{"dr-xr-xr-x   2 root                  512 Apr  8  1994 etc", folder("etc", at(1994, 4, 8))},
			{"-rw-r--r--   1 bob              1234 Mar  5 10:11 f", file("f", 1234, march)},
			{"-rw-r--r--   1                  1234 Mar  5 10:11 f", file("f", 1234, march)},
			{"-rw-r--r--                      1234 Mar  5 10:11 f", file("f", 1234, march)},
			{"-------r--         326  1391972  1392298 Nov 22  1995 MegaPhone.sit", file("MegaPhone.sit", 1392298, at(1995, 11, 22))},
			{"drwxrwxr-x               folder        2 May 10  1996 network", folder("network", at(1996, 5, 10))},
		},
		"sizes": {
			{"-rw-r--r--   1 bob bob       -1 Mar  5 10:11 growing", file("growing", -1, march)},
			{"drwxr-xr-x   1 bob bob       -1 Mar  5 10:11 d", folder("d", march)},
			{"-rw-r--r--   1 bob bob  1,234,567 Mar  5 10:11 f", file("f", 1234567, march)},
			{"-rw-r--r--   1 bob bob  18446744073709551615 Mar  5 10:11 f", file("f", -1, march)},
			{"-rw-r--r--   1 bob bob     1.5K Mar  5 10:11 f", file("f", -1, march)},
		},
		"ISO dates": {
			{"-rw-r--r-- 1 bob bob 5 2024-03-05 10:11 f", file("f", 5, at(2024, 3, 5, 10, 11))},
			{"-rw-r--r-- 1 bob domain users 5 2024-03-05 10:11 f g", file("f g", 5, at(2024, 3, 5, 10, 11))},
			{"-rw-r--r-- 1 bob bob 5 2024-03-05 10:11:12 f", file("f", 5, at(2024, 3, 5, 10, 11, 12))},
			{"-rw-r--r-- 1 bob bob 5 2024-03-05 10:11:12.123456789 +0100 f", file("f", 5, at(2024, 3, 5, 9, 11, 12))},
			{"-rw-r--r-- 1 bob 5 2024-03-05 10:11 f", file("f", 5, at(2024, 3, 5, 10, 11))},
			{"-rw-r--r-- 1 bob bob 5 2024-03-05  f", file("f", 5, at(2024, 3, 5))},
			{"-rw-r--r-- 1 bob bob 5 03-05 10:11 f", file("f", 5, march)},
			{"drwxr-xr-x 1 bob bob 0 2024/03/05 10:11 d", folder("d", at(2024, 3, 5, 10, 11))},
		},
		"months of other languages": {
			{"-rw-r--r-- 1 bob bob 5 Mär  5 10:11 f", file("f", 5, march)},
			{"-rw-r--r-- 1 bob bob 5 M\xe4r  5 10:11 f", file("f", 5, march)},
			{"-rw-r--r-- 1 bob bob 5  5. Mär 10:11 f", file("f", 5, march)},
			{"-rw-r--r-- 1 bob bob 5 31. Dez 2019 f", file("f", 5, at(2019, 12, 31))},
			{"-rw-r--r-- 1 bob bob 5 mars   5 10:11 f", file("f", 5, march)},
			{"-rw-r--r-- 1 bob bob 5  5 févr.  2024 f", file("f", 5, at(2024, 2, 5))},
			{"-rw-r--r-- 1 bob bob 5 ao\xfbt 5 2024 f", file("f", 5, at(2024, 8, 5))},
			{"-rw-r--r-- 1 bob bob 5 мар  5 10:11 f", file("f", 5, march)},
			{"-rw-r--r-- 1 bob bob 5 3月  5 10:11 f", file("f", 5, march)},
			{"-rw-r--r-- 1 bob bob 5 3月  5日 2024 f", file("f", 5, at(2024, 3, 5))},
			{"-rw-r--r-- 1 bob bob 5 2024年 3月 5日 f", file("f", 5, at(2024, 3, 5))},
			{"drwxr-xr-x 1 bob bob 0 ene 5 2024 d", folder("d", at(2024, 1, 5))},
			{"drwxr-xr-x 1 bob bob 0 Şub 5 2024 d", folder("d", at(2024, 2, 5))},
			{"drwxr-xr-x 1 bob bob 0 paź 5 2024 d", folder("d", at(2024, 10, 5))},
		},
		"DIR and IIS": {
			{"11-22-25  01:01PM       <DIR>          a dir", folder("a dir", at(2025, 11, 22, 13, 1))},
			{"11-22-25  01:01PM                 1234 a file.txt", file("a file.txt", 1234, at(2025, 11, 22, 13, 1))},
			{"11-22-2025  12:01AM               1234 f", file("f", 1234, at(2025, 11, 22, 0, 1))},
			{"2025-11-22  13:01                    0 empty", file("empty", 0, at(2025, 11, 22, 13, 1))},
			{"2021-07-28  22:14   1,234 x", file("x", 1234, at(2021, 7, 28, 22, 14))},
			{"28/07/2021  22:14            1,234 x", file("x", 1234, at(2021, 7, 28, 22, 14))},
			{"28/07/2021  10:14 PM    <DIR>          x", folder("x", at(2021, 7, 28, 22, 14))},
			{"07/28/2021  10:14 PM             1,234 x", file("x", 1234, at(2021, 7, 28, 22, 14))},
			{"28.07.2021  22:14            1.234.567 x", file("x", 1234567, at(2021, 7, 28, 22, 14))},
			{"07.08.2021  22:14    <DIR>          x", folder("x", at(2021, 8, 7, 22, 14))},
			{"2021/07/28  22:14    <DIR>          x", folder("x", at(2021, 7, 28, 22, 14))},
			{"28-07-21  22:14    <DIR>          x", folder("x", at(2021, 7, 28, 22, 14))},
			{"07/08/2021  22:14    <DIR>          either", folder("either", time.Time{})},
			{"07/07/2021  22:14    <DIR>          both", folder("both", at(2021, 7, 7, 22, 14))},
			{"2021-07-28  22:14    <JUNCTION>     x", folder("x", at(2021, 7, 28, 22, 14))},
		},
		"hosted": {
			{"-rwxrwxrwx file 1234 Aug 15 14:49 A.txt", file("A.txt", 1234, at(2025, 8, 15, 14, 49))},
			{"-rwxrwxrwx folder 0 Aug 15 14:49 dir", folder("dir", at(2025, 8, 15, 14, 49))},
			{"drwxrwxrwx folder 0 Aug 15 14:49 a dir", folder("a dir", at(2025, 8, 15, 14, 49))},
			{"-r--------   0 user group     65222236 Feb 24 00:39 UABlacklistingWeek8.csv",
				file("UABlacklistingWeek8.csv", 65222236, at(2026, 2, 24, 0, 39))},
		},
		"NetWare": {
			{"d [R----F--] supervisor            512       Jan 16 18:53    login", folder("login", at(2026, 1, 16, 18, 53))},
			{"- [R----F--] rhesus             214059       Oct 20 15:27    cx.exe", file("cx.exe", 214059, at(2025, 10, 20, 15, 27))},
			{"d[RWCEAFMS] mark smith            512 Jan 16  2024 login", folder("login", at(2024, 1, 16))},
		},
		"EPLF": {
			{"+i8388621.48594,m825718503,r,s280,\tdjb.html", file("djb.html", 280, time.Unix(825718503, 0).UTC())},
			{"+i8388621.50690,m824255907,/,\t514", folder("514", time.Unix(824255907, 0).UTC())},
			{"+m825718503,r,up644,\t a b, c", file(" a b, c", -1, time.Unix(825718503, 0).UTC())},
			{"+/,\td", folder("d", time.Time{})},
		},
	}
}

func TestListLines(t *testing.T) {
	for form, lines := range listedLines() {
		t.Run(form, func(t *testing.T) {
			for _, l := range lines {
				if got, ok := listed(l.line); !ok || got != l.want {
					t.Errorf("%q is\n%+v, %v, want\n%+v", l.line, got, ok, l.want)
				}
			}
		})
	}
}

// What is there, but is neither a file nor a directory, is understood; what is no entry at all does
// not count.
func TestListLinesOfNoFile(t *testing.T) {
	now := at(2026, 3, 10, 12)
	for line, want := range map[string]reading{
		"lrwxrwxrwx 1 0 0 5 Mar 09 13:01 l -> f":    isOther,
		"crw-r--r-- 1 0 0 1, 3 Mar 09 13:01 null":   isOther,
		"prw-r--r-- 1 0 0 0 Mar 09 13:01 pipe":      isOther,
		"2021-07-28  22:14    <SYMLINK>      x [y]": isOther,
		"+m825718503,\tsocket":                      isOther,
		"":                                          isNothing,
		"total 12":                                  isNothing,
		"total 1.5M":                                isNothing,
		"insgesamt 12":                              isNothing,
		"итого 12":                                  isNothing,
		"合計 12":                                     isNothing,
		"-rw-r--r--":                                isUnknown,
		"-rw-r--r-- 1 0 0 5 Foo 09 13:01 f":         isUnknown,
		"-rw-r--r-- 1 0 0 5 Mar 32 13:01 f":         isUnknown,
		"-rw-r--r-- 1 0 0 5 Mar 09 25:01 f":         isUnknown,
		"-rw-r--r-- 1 0 0 5 Mar 09 13:01":           isUnknown,
		"-rw-r--r-- 1 0 0 5 Mar 09 13:01 ":          isUnknown,
		"11-22-25 01:01PM x f":                      isUnknown,
		"11-22-25 01:01PM":                          isUnknown,
		"32-32-25 01:01PM 5 f":                      isUnknown,
		"+r,s5,f":                                   isUnknown,
		"+r,s5,\t":                                  isUnknown,
		"d [R----F--] supervisor 512 login":         isUnknown,
		"ls: cannot open directory '.': Permission denied": isUnknown,
		"a_name_alone": isUnknown,
		"FILE.TXT;1  2/3  29-JAN-1996 03:33:12 [ANONYMOUS] (RWED,RWED,,)": isUnknown,
	} {
		if e, got := parseList(line, now); got != want {
			t.Errorf("%q is %v, want %v: %+v", line, got, want, e)
		}
	}
}

func FuzzList(f *testing.F) {
	for _, lines := range listedLines() {
		for _, l := range lines {
			f.Add(l.line)
		}
	}
	now := at(2026, 3, 10, 12)
	f.Fuzz(func(t *testing.T, line string) {
		e, what := parseList(line, now)
		switch {
		case what != isEntry:
		case e.Name == "" || e.Size < -1 || e.Dir && e.Size != 0:
			t.Errorf("%q is %+v", line, e)
		case !strings.HasSuffix(line, e.Name):
			t.Errorf("%q names %q, which is not its end", line, e.Name)
		}
	})
}

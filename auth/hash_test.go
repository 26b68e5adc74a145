package auth

import (
	"reflect"
	"strings"
	"testing"
)

// cheapHash returns a hash of password that is quickly made.
func cheapHash(t *testing.T, password string) string {
	t.Helper()
	const magic, salt = "$apr1$", "saltsalt"
	return magic + salt + "$" + md5Crypt(password, magic, salt)
}

// The hashes were made by other programs: crypt(3) of libxcrypt 4.4, openssl, htpasswd, hashlib of
// Python; those of argon2 are test vectors of its authors.
func TestHashes(t *testing.T) {
	tests := []struct{ name, hash, password string }{
		{"argon2id", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		{"argon2i", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8", "password"},
		{"bcrypt 2b", "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW", "sesame"},
		{"bcrypt 2a", "$2a$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW", "sesame"},
		{"bcrypt of htpasswd", "$2y$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O", "sesame"},
		{"scrypt", "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$Kg1m8oGEYRyRlahEhbAt3+66DRZD21AjW1X8imAZ/zM", "sesame"},
		{"scrypt of libsodium", "$7$96..../....saltsalt$MINPV6eDHfd2pGpsiX3DROAd3LOR5PWCUn0c1Hfxjn6", "sesame"},
		{"yescrypt, little", "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$KGrb/CY.ZYiFm0mz47kyi8bNXW/e55chbZXk0VmVzj8", "sesame"},
		{"yescrypt", "$y$j6T$F5Jx5fExrKuPp53xLKQ..1$kKq3n5ifa..X3l68gl4jJjt.3WUoJ6EWthhPAdNgpD8", "sesame"},
		{"PBKDF2, SHA-1", "$pbkdf2$1000$c2FsdHNhbHQ$ja6RdGVNEwe/ngqL0GCCmmuZ778", "sesame"},
		{"PBKDF2, SHA-256", "$pbkdf2-sha256$1000$c2FsdHNhbHQ$b1sSN7v0pV6yqCwkohsSs5IT/7joKePbt3l5oxs1ch4", "sesame"},
		{"PBKDF2, SHA-512", "$pbkdf2-sha512$1000$c2FsdHNhbHQ$5t6UHfiqZqCn36ISN2WmUTHjDqWkiYDJl4jJahkchfgpPRDDh6M275JxxGrYbqQnM3JzhPgOkIqt2IJRZMsvRg", "sesame"},
		{"sha512-crypt", "$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1", "sesame"},
		{"sha512-crypt, rounds", "$6$rounds=1000$abcdefghijklmnop$LzZWsjYxRhxfanQB0ixRNM.AtTXZHcHJx6K7VHJaEhdsvZ1ehs2FzLkRDH2d/6TGUva6K2Y5it5hRI97EUQw20", "sesame"},
		{"sha256-crypt", "$5$saltsalt$Arv3XkXcPR5LHLrzVCBdKV5hwRocYIyFvUvGa9tbc06", "sesame"},
		{"sha256-crypt, rounds", "$5$rounds=1000$xy$KlT/Rnt9VPR.VQooagTrNaxQIPXb5cMvnNUSJULa6DC", "sesame"},
		{"MD5", "$1$abcdefgh$5XhrJpGu.bBXAZh4lT8oY/", "sesame"},
		{"MD5, long", "$1$xy$uSQQR8b.qYEbmdUZ57w90.", "a much longer password than sixteen bytes"},
		{"apr1", "$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/", "sesame"},
		{"apr1, empty", "$apr1$xy$43..WIhbfuznGvwoCyUek/", ""},
		{"SHA-1", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := Supported(tt.hash); err != nil {
				t.Fatalf("%s is refused: %v", tt.hash, err)
			}
			if right, err := Verify(tt.hash, tt.password); !right || err != nil {
				t.Errorf("%s, %q: %v, %v", tt.hash, tt.password, right, err)
			}
			for _, wrong := range []string{tt.password + "x", "wrong", strings.Repeat("x", 4096)} {
				if right, err := Verify(tt.hash, wrong); right || err != nil {
					t.Errorf("%s, %q: %v, %v", tt.hash, wrong, right, err)
				}
			}
			if strings.HasPrefix(tt.hash, "$argon2") || strings.HasPrefix(tt.hash, "$scrypt") || strings.HasPrefix(tt.hash, "$pbkdf2") {
				return // their keys have any length
			}
			for _, cut := range []string{tt.hash[:len(tt.hash)-1], tt.hash + "A", tt.hash + "$", tt.hash[1:]} {
				if right, err := Verify(cut, tt.password); right || err == nil {
					t.Errorf("%s: %v, %v", cut, right, err)
				}
			}
		})
	}
}

func TestRefusedHashes(t *testing.T) {
	const key, key86 = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1"
	tests := []struct{ hash, want string }{
		{"", "plain text"},
		{"builder", "plain text"},
		{"$plaintext$builder", "plain text"},
		{"$ecret$builder$x", "plain text"},
		{"ab01FAX.bQRSU", "plain text"}, // DES
		{"{MD5}5d41402abc4b2a76b9719d911017c592", "{MD5}"},
		{"$2x$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O", "$2x$"},
		{strings.Repeat("x", 513), "512 characters"},
		{"{SHA}short", "incomplete"},
		{"$apr1$salt", "incomplete"},
		{"$apr1$saltsaltsalt$" + strings.Repeat("x", 22), "incomplete"},
		{"$2y$bad", "incomplete"},
		{"$6$salt$sum", "incomplete"},
		{"$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$" + key, "at most 262144"},
		{"$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ$" + key, "at most 4"},
		{"$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$" + key, "incomplete"},
		{"$argon2id$v=19$m=65536,t=2147483647,p=1$c29tZXNhbHQ$" + key, "at most 16"},
		{"$argon2id$v=19$m=65536,t=1,p=255$c29tZXNhbHQ$" + key, "at most 16"},
		{"$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$" + key, "incomplete"},
		{"$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQ$" + key, "incomplete"},
		{"$argon2id$v=16$m=65536,t=1,p=1$c29tZXNhbHQ$" + key, "incomplete"},
		{"$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$AA", "incomplete"}, // the key of one password in 256
		{"$2b$31$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW", "at most 15"},
		{"$2b$4$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW", "incomplete"},
		{"$scrypt$ln=20,r=8,p=1$c2FsdHNhbHQ$" + key, "at most 2097152"},
		{"$scrypt$ln=58,r=8,p=1$c2FsdHNhbHQ$" + key, "at most 2097152"},
		{"$scrypt$ln=14,r=8,p=1000$c2FsdHNhbHQ$" + key, "at most 32"},
		{"$scrypt$ln=14,r=0,p=1$c2FsdHNhbHQ$" + key, "incomplete"},
		{"$7$I6..../....saltsalt$MINPV6eDHfd2pGpsiX3DROAd3LOR5PWCUn0c1Hfxjn6", "at most 2097152"},
		{"$y$jFz$LdJMENpBABJJ3hIHjB1Bi.$KGrb/CY.ZYiFm0mz47kyi8bNXW/e55chbZXk0VmVzj8", "at most 2097152"},
		{"$pbkdf2-sha256$3000000$c2FsdHNhbHQ$" + key, "at most 2000000"},
		{"$pbkdf2-sha256$0$c2FsdHNhbHQ$" + key, "incomplete"},
		{"$pbkdf2-sha256$-1$c2FsdHNhbHQ$" + key, "incomplete"},
		{"$6$rounds=999999999$saltsalt$" + key86, "at most 1000000"},
		{"$6$rounds=999$saltsalt$" + key86, "incomplete"},
	}
	for _, tt := range tests {
		err := Supported(tt.hash)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "ferry users hash") {
			t.Errorf("%s: %v, want %q and the remedy", tt.hash, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), "builder") || strings.Contains(err.Error(), "saltsalt") {
			t.Errorf("the error shows the hash: %v", err)
		}
		if right, err := Verify(tt.hash, tt.hash); right || err == nil {
			t.Errorf("Verify(%s): %v, %v", tt.hash, right, err)
		}
	}
}

// A hash of each algorithm takes a large part of a second, more with the race detector: few are
// made.
func TestNewHash(t *testing.T) {
	costs := map[string][2]string{ // normal and high
		"argon2id": {"$argon2id$v=19$m=19456,t=2,p=1$", "$argon2id$v=19$m=65536,t=3,p=4$"}, "bcrypt": {"$2b$10$", "$2b$13$"},
		"yescrypt": {"$y$j9T$", "$y$jCT$"}, "scrypt": {"$scrypt$ln=15,r=8,p=1$", "$scrypt$ln=17,r=8,p=1$"},
		"sha512-crypt": {"$6$rounds=100000$", "$6$rounds=500000$"}, "sha256-crypt": {"$5$rounds=100000$", "$5$rounds=500000$"},
		"pbkdf2-sha256": {"$pbkdf2-sha256$600000$", "$pbkdf2-sha256$1200000$"},
	}
	password := strings.Repeat("sesame", maxBcrypt/6) // as long as bcrypt allows
	for _, algorithm := range Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			normal, high := costs[algorithm][0], costs[algorithm][1]
			one, err := NewHash(algorithm, "", password)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(one, normal) {
				t.Errorf("got %s, want %s", one, normal)
			}
			if right, err := Verify(one, password); !right || err != nil {
				t.Errorf("%s: %v, %v", one, right, err)
			}
			if err := Supported(high + one[len(normal):]); err != nil {
				t.Errorf("what the high cost makes: %v", err)
			}
			if algorithm != DefaultAlgorithm && !strings.HasPrefix(algorithm, "sha") {
				return // a hash of the high cost takes seconds
			}
			if right, err := Verify(one, "open"); right || err != nil {
				t.Errorf("%s fits another password: %v", one, err)
			}
			two, err := NewHash(algorithm, "high", password)
			if err != nil || !strings.HasPrefix(two, high) || Supported(two) != nil {
				t.Errorf("high: %s, %v, %v", two, err, Supported(two))
			}
		})
	}
}

// The high cost is another one for each algorithm.
func TestTheHighCostIsAnother(t *testing.T) {
	for _, algorithm := range Algorithms() {
		normal, err1 := hasher(algorithm, false)
		high, err2 := hasher(algorithm, true)
		if err1 != nil || err2 != nil || reflect.DeepEqual(normal, high) {
			t.Errorf("%s: %+v and %+v, %v, %v", algorithm, normal, high, err1, err2)
		}
	}
}

// Two hashes of a password differ, by their salt.
func TestHashesHaveASalt(t *testing.T) {
	one, err1 := NewHash("", "", "sesame")
	two, err2 := NewHash("", "", "sesame")
	if err1 != nil || err2 != nil || one == two {
		t.Errorf("%s and %s, %v, %v", one, two, err1, err2)
	}
}

func TestNewHashRefuses(t *testing.T) {
	for _, tt := range [][4]string{
		{"rot13", "", "sesame", "argon2id, bcrypt"}, {"", "max", "sesame", "normal and high"}, {"", "", "", "empty"},
		{"", "", "a\nb", "line end"}, {"", "", strings.Repeat("x", 1025), "1024"}, {"bcrypt", "", strings.Repeat("x", 73), "72"},
	} {
		hash, err := NewHash(tt[0], tt[1], tt[2])
		if err == nil || !strings.Contains(err.Error(), tt[3]) {
			t.Errorf("%q: %q, %v", tt[:2], hash, err)
		}
	}
}

// Many passwords would have the same hash of bcrypt otherwise.
func TestBcryptTakesNoLongPassword(t *testing.T) {
	password := strings.Repeat("x", 72)
	const hash = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i"
	for _, tt := range []struct {
		password string
		want     bool
	}{{password, true}, {password + "y", false}, {password[1:], false}} {
		if right, err := Verify(hash, tt.password); right != tt.want || err != nil {
			t.Errorf("%d bytes: %v, %v", len(tt.password), right, err)
		}
	}
}

// What is Supported can be verified without an error, whatever was written.
func FuzzSupported(f *testing.F) {
	for _, hash := range []string{
		"$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW",
		"$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$Kg1m8oGEYRyRlahEhbAt3+66DRZD21AjW1X8imAZ/zM",
		"$7$16..../....saltsalt$MINPV6eDHfd2pGpsiX3DROAd3LOR5PWCUn0c1Hfxjn6",
		"$y$j75$LdJMENpBABJJ3hIHjB1Bi.$KGrb/CY.ZYiFm0mz47kyi8bNXW/e55chbZXk0VmVzj8",
		"$pbkdf2-sha256$100$c2FsdHNhbHQ$b1sSN7v0pV6yqCwkohsSs5IT/7joKePbt3l5oxs1ch4",
		"$5$rounds=1000$xy$KlT/Rnt9VPR.VQooagTrNaxQIPXb5cMvnNUSJULa6DC",
		"$1$abcdefgh$5XhrJpGu.bBXAZh4lT8oY/", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
	} {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		if Supported(hash) != nil {
			return
		}
		if right, err := Verify(hash, "a password"); right || err != nil {
			t.Errorf("%q: %v, %v", hash, right, err)
		}
	})
}

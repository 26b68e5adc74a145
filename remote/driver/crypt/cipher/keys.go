package cipher

import "golang.org/x/crypto/scrypt"

// Keys are what contents and names are encrypted with.
type Keys struct {
	Data  [32]byte
	Name  [32]byte
	Tweak [nameBlock]byte
}

// defaultSalt takes the place of an empty one.
func defaultSalt() []byte {
	return []byte{0xA8, 0x0D, 0xF4, 0x3A, 0x8F, 0xBD, 0x03, 0x08, 0xA7, 0xCA, 0xB8, 0x3E, 0x58, 0x1F, 0x86, 0xB1}
}

// DeriveKeys makes keys of the options password and password2, which is the salt. It takes a tenth
// of a second and 16 MiB, on purpose.
func DeriveKeys(password, salt string) (Keys, error) {
	s := []byte(salt)
	if salt == "" {
		s = defaultSalt()
	}
	var k Keys
	b, err := scrypt.Key([]byte(password), s, 16384, 8, 1, len(k.Data)+len(k.Name)+len(k.Tweak))
	if err != nil {
		return Keys{}, err
	}
	n := copy(k.Data[:], b)
	n += copy(k.Name[:], b[n:])
	copy(k.Tweak[:], b[n:])
	return k, nil
}

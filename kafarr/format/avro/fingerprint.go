package avro

// emptyFingerprint is the CRC-64-AVRO of nothing, and at the same time the polynomial that the table is made of.
const emptyFingerprint = 0xc15d213aa4d7a795

var fingerprintTable = func() (table [256]uint64) {
	for i := range table {
		crc := uint64(i)
		for range 8 {
			crc = crc>>1 ^ emptyFingerprint&-(crc&1)
		}
		table[i] = crc
	}
	return table
}()

// Fingerprint is the CRC-64-AVRO of the schema's canonical form ("Schema Fingerprints" in the specification), by which
// the single-object encoding names the schema of a body. It is not safe against those who want two schemas to share one.
func (s *Schema) Fingerprint() uint64 {
	crc := uint64(emptyFingerprint)
	for _, b := range []byte(s.Canonical()) {
		crc = crc>>8 ^ fingerprintTable[crc&0xff^uint64(b)]
	}
	return crc
}

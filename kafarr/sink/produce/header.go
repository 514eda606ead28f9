package produce

import (
	"encoding/binary"
	"hash/crc32"
)

// A record batch of format 2:
//
//	0 base offset, 8 length of what follows, 12 leader epoch, 16 magic, 17 CRC-32C of what follows, 21 attributes, 23 last offset delta, 27 first time, 35 greatest time,
//	43 producer id, 51 producer epoch, 53 first sequence, 57 number of records, 61 records
const (
	headerSize = 61
	lengthEnd  = 12 // the length counts from here
	sumEnd     = 21 // the sum is over what follows
)

// transactional is the bit of the attributes that says that the batch is part of a transaction.
const transactional = 0x10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is what a batch says of its records.
type header struct {
	count       int32
	first, most int64 // timestamps
	codec       Codec
}

// write writes the header of a batch that is whole otherwise, as of no producer. The sum is Stamp's.
func (h *header) write(batch []byte) {
	be := binary.BigEndian
	be.PutUint64(batch, 0)
	be.PutUint32(batch[8:], uint32(len(batch)-lengthEnd)) //nolint:gosec // far below 2 GiB
	be.PutUint32(batch[12:], ^uint32(0))                  // the broker writes the leader's epoch
	batch[16] = 2
	be.PutUint32(batch[17:], 0)
	be.PutUint16(batch[21:], uint16(h.codec))   //nolint:gosec // bits
	be.PutUint32(batch[23:], uint32(h.count-1)) //nolint:gosec // at least one record
	be.PutUint64(batch[27:], uint64(h.first))   //nolint:gosec // bits
	be.PutUint64(batch[35:], uint64(h.most))    //nolint:gosec // bits
	be.PutUint64(batch[43:], ^uint64(0))
	be.PutUint16(batch[51:], ^uint16(0))
	be.PutUint32(batch[53:], ^uint32(0))
	be.PutUint32(batch[57:], uint32(h.count)) //nolint:gosec // at least one record
}

// Stamp writes whose a sealed batch is and which sequence its first record has, and the sum. Without a producer id, id, epoch and sequence are -1.
func Stamp(batch []byte, producerID int64, epoch int16, sequence int32, inTransaction bool) {
	be := binary.BigEndian
	batch[22] &^= transactional
	if inTransaction {
		batch[22] |= transactional
	}
	be.PutUint64(batch[43:], uint64(producerID)) //nolint:gosec // -1 is none
	be.PutUint16(batch[51:], uint16(epoch))      //nolint:gosec // -1 is none
	be.PutUint32(batch[53:], uint32(sequence))   //nolint:gosec // -1 is none
	be.PutUint32(batch[17:], crc32.Checksum(batch[sumEnd:], castagnoli))
}

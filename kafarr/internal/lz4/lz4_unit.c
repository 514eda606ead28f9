// All of lz4 that is used, as one unit whose functions are its own: librdkafka brings another lz4, with the same names, to the same program.
#pragma GCC diagnostic ignored "-Wunused-function"
#define LZ4LIB_VISIBILITY static
#define LZ4_PUBLISH_STATIC_FUNCTIONS
#define LZ4_compress_forceExtDict pykafarr_lz4_compress_forceExtDict
#define LZ4_decompress_safe_forceExtDict pykafarr_lz4_decompress_safe_forceExtDict
#define LZ4_decompress_safe_partial_forceExtDict pykafarr_lz4_decompress_safe_partial_forceExtDict
#define read_long_length_no_check pykafarr_lz4_read_long_length_no_check
#define LZ4_DISABLE_DEPRECATE_WARNINGS
#include "lz4_source.h"
#include "lz4hc_source.h"

int pykafarr_lz4_fast(const char* from, char* to, int length, int room)
{
    return LZ4_compress_default(from, to, length, room);
}

int pykafarr_lz4_high(const char* from, char* to, int length, int room, int level)
{
    return LZ4_compress_HC(from, to, length, room, level);
}

/* vectors.c: a C target needs a source file; the operations stand in the header. */
#include "deepmotif_vectors.h"

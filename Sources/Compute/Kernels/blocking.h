// How matrix products are cut to fit the caches: KC deep, MC rows of a, NC columns of b; shared by the kernels and their callers' scratch.
#ifndef MURMUR_BLOCKING_H
#define MURMUR_BLOCKING_H
#define MURMUR_KC 256
#define MURMUR_MC 192
#define MURMUR_NC 512
// The most rows and columns of one packed panel, any variant.
#define MURMUR_PANEL_ROWS 6
#define MURMUR_PANEL_COLUMNS 64
#endif

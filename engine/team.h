/* Threads that work on one call together (team.c). */
#ifndef R3_TEAM_H
#define R3_TEAM_H

#include "engine.h"

/* Rows of a piece of work: at most so many, whose levels stay in a near cache between products; in
 * a team at least so many, a tile of the widest kernel. */
enum { ROWS_A_PIECE = 32, ROWS_AT_LEAST = 8 };

/* Does the rows `first .. end`; gives OK or why not. */
typedef int piece_work(void *of, int first, int end);

/* Do all of some rows, in pieces, and return when they are done. */
int share(team *, int rows, piece_work *, void *of);

#endif

/* Work on rows, by whoever is there.
 *
 * The thread that made a call hands out its steps, and takes pieces of them itself. A helper that
 * comes late, or never, holds up nobody: what it has not begun, others take. Nobody waits by
 * spinning.
 */
#include "team.h"

#include <stdlib.h>

#include "environment.h"

#if defined(_WIN32)

#include <windows.h>

typedef SRWLOCK lock;
typedef CONDITION_VARIABLE condition;
static int lock_init(lock *l) { return InitializeSRWLock(l), OK; }
static int condition_init(condition *c) { return InitializeConditionVariable(c), OK; }
static void lock_free(lock *l) { (void)l; }
static void condition_free(condition *c) { (void)c; }
static void enter_lock(lock *l) { AcquireSRWLockExclusive(l); }
static void leave_lock(lock *l) { ReleaseSRWLockExclusive(l); }
static void await(condition *c, lock *l) { SleepConditionVariableSRW(c, l, INFINITE, 0); }
static void wake(condition *c) { WakeAllConditionVariable(c); }

#else

#include <pthread.h>

typedef pthread_mutex_t lock;
typedef pthread_cond_t condition;
static int lock_init(lock *l) { return pthread_mutex_init(l, NULL) ? NO_MEMORY : OK; }
static int condition_init(condition *c) { return pthread_cond_init(c, NULL) ? NO_MEMORY : OK; }
static void lock_free(lock *l) { pthread_mutex_destroy(l); }
static void condition_free(condition *c) { pthread_cond_destroy(c); }
static void enter_lock(lock *l) { pthread_mutex_lock(l); }
static void leave_lock(lock *l) { pthread_mutex_unlock(l); }
static void await(condition *c, lock *l) { pthread_cond_wait(c, l); }
static void wake(condition *c) { pthread_cond_broadcast(c); }

#endif

struct team {
    int members, dismissed;
    lock lock;           /* of all that follows */
    condition handed;    /* there is a step, or the team is dismissed */
    condition done;      /* the last piece of a step */
    piece_work *work;
    void *of;
    int rows, height;    /* of the step, and of its pieces */
    int next, under_way; /* the first row that nobody has taken, and pieces that somebody has */
    int status;
};

team *r3_team_new(int32_t members)
{
    team *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->members = members;
    if (lock_init(&t->lock) != OK || condition_init(&t->handed) != OK
        || condition_init(&t->done) != OK) {
        free(t);
        return NULL;
    }
    return t;
}

void r3_team_free(team *t)
{
    condition_free(&t->handed);
    condition_free(&t->done);
    lock_free(&t->lock);
    free(t);
}

/* Do the next piece; the lock is held before and after. */
static void take_piece(team *t)
{
    int first = t->next, end = first + t->height < t->rows ? first + t->height : t->rows;
    t->next = end;
    t->under_way++;
    leave_lock(&t->lock);
    int status = t->work(t->of, first, end);
    enter_lock(&t->lock);
    if (status != OK)
        t->status = status;
    if (!--t->under_way && t->next == t->rows)
        wake(&t->done);
}

void r3_team_help(team *t)
{
    fenv_t host = enter();
    enter_lock(&t->lock);
    while (!t->dismissed)
        if (t->next < t->rows)
            take_piece(t);
        else
            await(&t->handed, &t->lock);
    leave_lock(&t->lock);
    leave(host);
}

void r3_team_dismiss(team *t)
{
    enter_lock(&t->lock);
    t->dismissed = 1;
    wake(&t->handed);
    leave_lock(&t->lock);
}

/* Rows of a piece: two pieces for each member, or as many rows as stay in a near cache. */
static int height_of(const team *t, int rows)
{
    int pieces = 2 * t->members, height = (rows + pieces - 1) / pieces;
    height = (height + ROWS_AT_LEAST - 1) / ROWS_AT_LEAST * ROWS_AT_LEAST;
    return height < ROWS_A_PIECE ? height : ROWS_A_PIECE;
}

static int alone(int rows, piece_work *work, void *of)
{
    int done = OK;
    for (int first = 0; first < rows && done == OK; first += ROWS_A_PIECE)
        done = work(of, first, first + ROWS_A_PIECE < rows ? first + ROWS_A_PIECE : rows);
    return done;
}

int share(team *t, int rows, piece_work *work, void *of)
{
    if (!t || rows < 2 * ROWS_AT_LEAST)
        return alone(rows, work, of);
    enter_lock(&t->lock);
    t->work = work;
    t->of = of;
    t->rows = rows;
    t->height = height_of(t, rows);
    t->next = 0;
    t->status = OK;
    wake(&t->handed);
    while (t->next < t->rows)
        take_piece(t);
    while (t->under_way)
        await(&t->done, &t->lock);
    int status = t->status;
    leave_lock(&t->lock);
    return status;
}

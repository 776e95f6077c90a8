/* Names: of the system calls that can be refused, and what of their arguments is worth telling. */
#ifndef LEADLINE_NAMES_H
#define LEADLINE_NAMES_H

typedef enum {
    DETAIL_NONE,
    DETAIL_DESCRIPTOR, /* what it leads to */
    DETAIL_TEXT, /* a path or a name at `argument` */
    DETAIL_TWO_TEXTS, /* and another at `other` */
    DETAIL_NUMBER,
    DETAIL_HEXADECIMAL,
    DETAIL_FAMILY, /* of a socket */
    DETAIL_ADDRESS, /* of a socket, its size in the argument after it */
    DETAIL_SIGNAL, /* a process at `argument`, a signal at `other` */
    DETAIL_CLONE, /* flags */
} Detail;

typedef struct {
    short number;
    unsigned char detail, argument, other;
    const char *text;
} Name;

/* NULL where there is none. */
const Name *name_of(long number);

#endif

#include "text.h"

#include <stdlib.h>

#define FIRST_CAPACITY 4096

int
text_grow(Text *text, size_t more)
{
    size_t capacity = text->capacity ? text->capacity : FIRST_CAPACITY;
    while (capacity - text->size < more) {
        capacity *= 2;
    }
    char *bytes = text->failed ? NULL : realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = 1;
        return 0;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return 1;
}

static char *
put_unit(char *at, unsigned int unit)
{
    static const char digits[] = "0123456789abcdef";
    *at++ = '\\';
    *at++ = 'u';
    *at++ = digits[unit >> 12 & 15];
    *at++ = digits[unit >> 8 & 15];
    *at++ = digits[unit >> 4 & 15];
    *at++ = digits[unit & 15];
    return at;
}

static char *
put_special(char *at, Py_UCS4 character)
{
    char short_form = 0;
    switch (character) {
    case '"': short_form = '"'; break;
    case '\\': short_form = '\\'; break;
    case '\b': short_form = 'b'; break;
    case '\f': short_form = 'f'; break;
    case '\n': short_form = 'n'; break;
    case '\r': short_form = 'r'; break;
    case '\t': short_form = 't'; break;
    default: break;
    }
    if (short_form) {
        *at++ = '\\';
        *at++ = short_form;
        return at;
    }
    if (character < 0x10000) {
        return put_unit(at, character);
    }
    character -= 0x10000;
    at = put_unit(at, 0xd800 | (character >> 10 & 0x3ff));
    return put_unit(at, 0xdc00 | (character & 0x3ff));
}

static inline int
is_plain(Py_UCS4 character)
{
    return character >= ' ' && character <= '~' && character != '"' && character != '\\';
}

size_t
text_latin1(Text *text, const char *bytes, Py_ssize_t count)
{
    if (!text_reserve(text, (size_t)count * 6 + 2)) {
        return 0;
    }
    char *begin = text->bytes + text->size, *at = begin;
    *at++ = '"';
    for (Py_ssize_t index = 0; index < count; index++) {
        unsigned char byte = (unsigned char)bytes[index];
        if (is_plain(byte)) {
            *at++ = (char)byte;
        }
        else {
            at = put_special(at, byte);
        }
    }
    *at++ = '"';
    text->size += (size_t)(at - begin);
    return (size_t)(at - begin);
}

size_t
text_string(Text *text, PyObject *string, Py_ssize_t count)
{
    int kind = PyUnicode_KIND(string);
    const void *characters = PyUnicode_DATA(string);
    if (kind == PyUnicode_1BYTE_KIND) {
        return text_latin1(text, characters, count);
    }
    if (!text_reserve(text, (size_t)count * CHARACTER_BYTES + 2)) {
        return 0;
    }
    char *begin = text->bytes + text->size, *at = begin;
    *at++ = '"';
    for (Py_ssize_t index = 0; index < count; index++) {
        Py_UCS4 character = PyUnicode_READ(kind, characters, index);
        if (is_plain(character)) {
            *at++ = (char)character;
        }
        else {
            at = put_special(at, character);
        }
    }
    *at++ = '"';
    text->size += (size_t)(at - begin);
    return (size_t)(at - begin);
}

void
text_integer(Text *text, long long number)
{
    char digits[24];
    char *at = digits + sizeof digits;
    unsigned long long rest =
        number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        *--at = '-';
    }
    text_put(text, at, (size_t)(digits + sizeof digits - at));
}

#define MAX_DECIMALS 4
#define MOST_DIGITS 1e15 /* any two numbers of so many digits are two floats */

/* Write a number of few digits, as most prices and seconds are: a decimal of at most 15 digits
   that divides to the very float is the only one, so it is what `repr` says. Returns 0 for one of
   another sort. */
static int
put_few_digits(Text *text, double number)
{
    static const long long powers[MAX_DECIMALS + 1] = {1, 10, 100, 1000, 10000};
    if (number == 0) {
        return 0; /* it has a sign */
    }
    for (int decimals = 0; decimals <= MAX_DECIMALS; decimals++) {
        double scaled = number * (double)powers[decimals];
        if (!(scaled < MOST_DIGITS && scaled > -MOST_DIGITS)) {
            return 0;
        }
        long long digits = (long long)(scaled + (scaled < 0 ? -0.5 : 0.5));
        if ((double)digits / (double)powers[decimals] != number) {
            continue; /* of two exact numbers the quotient is the nearest float */
        }
        if (number < 0) {
            TEXT_PUT(text, "-");
            digits = -digits;
        }
        text_integer(text, digits / powers[decimals]);
        if (decimals == 0) {
            TEXT_PUT(text, ".0");
            return 1;
        }
        char part[MAX_DECIMALS + 1] = {'.'};
        long long rest = digits % powers[decimals];
        for (int at = decimals; at > 0; at--, rest /= 10) {
            part[at] = (char)('0' + rest % 10);
        }
        text_put(text, part, (size_t)decimals + 1);
        return 1;
    }
    return 0;
}

int
text_real(Text *text, double number)
{
    if (number - number != 0) {
        return 0;
    }
    if (put_few_digits(text, number)) {
        return 1;
    }
    char *digits = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (digits == NULL) {
        PyErr_Clear();
        text->failed = 1;
        return 1;
    }
    text_put(text, digits, strlen(digits));
    PyMem_Free(digits);
    return 1;
}

static Py_ssize_t
how_many_fit(long long room, Py_ssize_t count)
{
    long long most = (room > 0 ? room : 0) / CHARACTER_BYTES;
    return most < count ? (Py_ssize_t)most : count;
}

Py_ssize_t
text_fitting(Text *text, long long *room, PyObject *string, Py_ssize_t count)
{
    size_t begin = text->size;
    long long size = (long long)text_string(text, string, count);
    if (size > *room) {
        text->size = begin;
        count = how_many_fit(*room, count);
        size = (long long)text_string(text, string, count);
    }
    *room -= size + 1;
    return count;
}

Py_ssize_t
text_fitting_latin1(Text *text, long long *room, const char *bytes, Py_ssize_t count)
{
    size_t begin = text->size;
    long long size = (long long)text_latin1(text, bytes, count);
    if (size > *room) {
        text->size = begin;
        count = how_many_fit(*room, count);
        size = (long long)text_latin1(text, bytes, count);
    }
    *room -= size + 1;
    return count;
}

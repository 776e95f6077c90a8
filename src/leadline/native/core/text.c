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

int
text_real(Text *text, double number)
{
    if (number - number != 0) {
        return 0;
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

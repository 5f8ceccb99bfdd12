/* What of frames costs time for each octet, or for each frame: masking, a whole frame in one allocation, and the
   messages that are one frame each.

   The same functions as in wayfare_websocket/_masking.py, _frames.py and _whole_messages.py, which tell what they mean
   and are used where this file was not compiled; the tests hold both to the same results. Only the limited API of
   Python 3.11 is used, so that one wheel serves this and every later version. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define KEY_SIZE 4
#define LONGEST_HEAD 14 /* 2 octets, a length of 8, a key */

/* Words are copied in and out, so that neither alignment nor byte order counts; compilers make wide registers of it. */
static void
mask(unsigned char *restrict out, const unsigned char *restrict in, Py_ssize_t size, const unsigned char *key)
{
    uint64_t keys, word;
    Py_ssize_t at, words = size / 8;

    memcpy(&keys, key, KEY_SIZE);
    memcpy((unsigned char *)&keys + KEY_SIZE, key, KEY_SIZE);
    for (at = 0; at < words; at++) {
        memcpy(&word, in + 8 * at, 8);
        word ^= keys;
        memcpy(out + 8 * at, &word, 8);
    }
    for (at = 8 * words; at < size; at++) {
        out[at] = in[at] ^ key[at % KEY_SIZE];
    }
}

/* A buffer that holds a key, or an exception. */
static int
get_key(PyObject *object, Py_buffer *key)
{
    if (PyObject_GetBuffer(object, key, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    if (key->len != KEY_SIZE) {
        PyBuffer_Release(key);
        PyErr_SetString(PyExc_ValueError, "a masking key has 4 octets");
        return -1;
    }
    return 0;
}

static int
check_count(const char *name, Py_ssize_t given, Py_ssize_t wanted)
{
    if (given != wanted) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments (%zd given)", name, wanted, given);
        return -1;
    }
    return 0;
}

/* mask_payload(data, key) */
static PyObject *
mask_payload(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer data, key;
    PyObject *masked = NULL;

    (void)module;
    if (check_count("mask_payload", count, 2) < 0 || get_key(arguments[1], &key) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(arguments[0], &data, PyBUF_SIMPLE) == 0) {
        masked = PyBytes_FromStringAndSize(NULL, data.len);
        if (masked != NULL) {
            mask((unsigned char *)PyBytes_AsString(masked), data.buf, data.len, key.buf);
        }
        PyBuffer_Release(&data);
    }
    PyBuffer_Release(&key);
    return masked;
}

/* Write the head of a frame, without its key; return the number of octets. */
static Py_ssize_t
write_head(unsigned char *out, unsigned char first, unsigned char masked, Py_ssize_t size)
{
    int width = size < 126 ? 0 : size < 65536 ? 2 : 8;

    out[0] = first;
    out[1] = masked | (width == 0 ? (unsigned char)size : width == 2 ? 126 : 127);
    for (int at = 0; at < width; at++) {
        out[2 + at] = (unsigned char)((uint64_t)size >> 8 * (width - 1 - at));
    }
    return 2 + width;
}

static PyObject *
build_frame(unsigned char first, const Py_buffer *payload, const unsigned char *key)
{
    unsigned char head[LONGEST_HEAD];
    Py_ssize_t size = write_head(head, first, key == NULL ? 0 : 0x80, payload->len);
    unsigned char *out;
    PyObject *frame;

    if (key != NULL) {
        memcpy(head + size, key, KEY_SIZE);
        size += KEY_SIZE;
    }
    if (payload->len > PY_SSIZE_T_MAX - LONGEST_HEAD) {
        return PyErr_NoMemory();
    }
    frame = PyBytes_FromStringAndSize(NULL, size + payload->len);
    if (frame == NULL) {
        return NULL;
    }
    out = (unsigned char *)PyBytes_AsString(frame);
    memcpy(out, head, size);
    if (key != NULL) {
        mask(out + size, payload->buf, payload->len, key);
    }
    else if (payload->len > 0) {
        memcpy(out + size, payload->buf, payload->len);
    }
    return frame;
}

/* encode_frame(first, payload, key) */
static PyObject *
encode_frame(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer payload, key;
    PyObject *frame = NULL;
    int masked;
    long first;

    (void)module;
    if (check_count("encode_frame", count, 3) < 0) {
        return NULL;
    }
    first = PyLong_AsLong(arguments[0]);
    if (first == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (first < 0 || first > 255) {
        PyErr_SetString(PyExc_ValueError, "the first octet of a frame is 0 to 255");
        return NULL;
    }
    masked = arguments[2] != Py_None;
    if (masked && get_key(arguments[2], &key) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(arguments[1], &payload, PyBUF_SIMPLE) == 0) {
        frame = build_frame((unsigned char)first, &payload, masked ? key.buf : NULL);
        PyBuffer_Release(&payload);
    }
    if (masked) {
        PyBuffer_Release(&key);
    }
    return frame;
}

#define TEXT_FRAME 0x81 /* FIN and the opcode */
#define BINARY_FRAME 0x82

/* What messages are made of: a subclass of tuple, the members of an enumeration, and the limit of their size, 0 for none.
   They are borrowed. */
struct making {
    PyTypeObject *message;
    PyObject *text, *binary;
    Py_ssize_t limit;
};

/* Where the payload of a whole message at the beginning of so many octets lies, and how long it is; 0 where there is
   something else. */
static Py_ssize_t
find_payload(const unsigned char *data, Py_ssize_t available, Py_ssize_t limit, Py_ssize_t *size)
{
    Py_ssize_t head = 2;

    if (available < 2 || (data[0] != TEXT_FRAME && data[0] != BINARY_FRAME)) {
        return 0;
    }
    *size = data[1];
    if (*size == 126 && available >= 4) {
        *size = (Py_ssize_t)data[2] << 8 | data[3];
        head = 4;
        if (*size < 126) {
            return 0;
        }
    }
    else if (*size > 125) {
        return 0;
    }
    return *size > available - head || (limit != 0 && *size > limit) ? 0 : head;
}

/* Steals the reference to the payload. */
static PyObject *
make_message(PyTypeObject *type, PyObject *kind, PyObject *payload)
{
    PyObject *message = PyType_GenericAlloc(type, 3);

    if (message == NULL) {
        Py_DECREF(payload);
        return NULL;
    }
    Py_INCREF(kind);
    Py_INCREF(Py_None);
    /* Each of them steals a reference, even where it fails. */
    if (PyTuple_SetItem(message, 0, kind) < 0) {
        Py_DECREF(payload);
        Py_DECREF(Py_None);
    }
    else if (PyTuple_SetItem(message, 1, payload) < 0) {
        Py_DECREF(Py_None);
    }
    else if (PyTuple_SetItem(message, 2, Py_None) == 0) {
        return message;
    }
    Py_DECREF(message);
    return NULL;
}

/* Add the messages at the beginning of so many octets to a list; return the number of octets that they are, or -1. */
static Py_ssize_t
add_messages(const unsigned char *data, Py_ssize_t available, const struct making *making, PyObject *out)
{
    Py_ssize_t at = 0, head, size = 0;
    PyObject *payload, *message;
    int is_text, added;

    while ((head = find_payload(data + at, available - at, making->limit, &size)) != 0) {
        const char *start = (const char *)data + at + head;
        is_text = data[at] == TEXT_FRAME;
        if (is_text && making->text == Py_None) {
            break;
        }
        payload = is_text ? PyUnicode_DecodeUTF8(start, size, NULL) : PyBytes_FromStringAndSize(start, size);
        if (payload == NULL) {
            if (!is_text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
                return -1;
            }
            PyErr_Clear();
            break;
        }
        message = make_message(making->message, is_text ? making->text : making->binary, payload);
        if (message == NULL) {
            return -1;
        }
        added = PyList_Append(out, message);
        Py_DECREF(message);
        if (added < 0) {
            return -1;
        }
        at += head + size;
    }
    return at;
}

/* read_whole(data, at, limit, message, text, binary, out) */
static PyObject *
read_whole(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer data;
    struct making making;
    Py_ssize_t at, used = -1;

    (void)module;
    if (check_count("read_whole", count, 7) < 0) {
        return NULL;
    }
    at = PyLong_AsSsize_t(arguments[1]);
    making.limit = PyLong_AsSsize_t(arguments[2]);
    if ((at == -1 || making.limit == -1) && PyErr_Occurred()) {
        return NULL;
    }
    if (!PyType_Check(arguments[3]) || !PyType_IsSubtype((PyTypeObject *)arguments[3], &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "a message is a kind of tuple");
        return NULL;
    }
    making.message = (PyTypeObject *)arguments[3];
    making.text = arguments[4];
    making.binary = arguments[5];
    if (PyObject_GetBuffer(arguments[0], &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (at < 0 || at > data.len) {
        PyErr_SetString(PyExc_IndexError, "there is nothing at this index");
    }
    else {
        used = add_messages((const unsigned char *)data.buf + at, data.len - at, &making, arguments[6]);
    }
    PyBuffer_Release(&data);
    return used < 0 ? NULL : PyLong_FromSsize_t(at + used);
}

static PyMethodDef functions[] = {
    {"encode_frame", (PyCFunction)(void (*)(void))encode_frame, METH_FASTCALL,
     "One frame whose first octet is `first`, masked where there is a key."},
    {"read_whole", (PyCFunction)(void (*)(void))read_whole, METH_FASTCALL,
     "Add the messages that lie there one after the other, and return the index behind them."},
    {"mask_payload", (PyCFunction)(void (*)(void))mask_payload, METH_FASTCALL, "XOR with the key, repeated."},
    {NULL, NULL, 0, NULL},
};

/* There is no state, so every interpreter and every thread may use it at once. */
static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_wayfare_frames",
    .m_size = 0,
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__wayfare_frames(void)
{
    return PyModuleDef_Init(&definition);
}

/*
 * A server that echoes messages, and its clients, in one process: overlapped I/O over a completion
 * port on one side and over events on the other.
 *
 * It builds as it is for Windows and, with npfs, for Linux:
 *   cc -I include examples/echo.c -L ../../target/debug -lnpfs_c
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 3
#define INSTANCES 2
#define ROUNDS 2
#define PIPE "\\\\.\\pipe\\echo"

/* What an instance waits for. */
enum step { CONNECTING, READING, WRITING };

struct instance {
    OVERLAPPED overlapped; /* First: a packet's pointer is the instance's. */
    HANDLE pipe;
    enum step step;
    char buffer[16];
};

struct client {
    int number;
    HANDLE done;
    char answers[ROUNDS][16];
};

static void fail(const char *what) {
    fprintf(stderr, "%s: error %lu\n", what, (unsigned long)GetLastError());
    exit(1);
}

/* An operation that has to begin: it ends now or later, and either way sends a packet. */
static void begun(const char *what, BOOL done) {
    if (!done && GetLastError() != ERROR_IO_PENDING) {
        fail(what);
    }
}

static void post(HANDLE port, struct instance *instance) {
    if (!PostQueuedCompletionStatus(port, 0, 1, &instance->overlapped)) {
        fail("PostQueuedCompletionStatus");
    }
}

static void listen_for(HANDLE port, struct instance *instance) {
    instance->step = CONNECTING;
    if (ConnectNamedPipe(instance->pipe, &instance->overlapped)) {
        return;
    }
    switch (GetLastError()) {
    case ERROR_IO_PENDING:
        return;
    case ERROR_PIPE_CONNECTED: /* The client was faster; no packet tells so. */
        post(port, instance);
        return;
    default:
        fail("ConnectNamedPipe");
    }
}

/* Whether a read has begun; not if the client has gone. */
static BOOL read_message(struct instance *instance) {
    instance->step = READING;
    BOOL done = ReadFile(instance->pipe, instance->buffer, sizeof instance->buffer, NULL,
                         &instance->overlapped);
    if (!done && GetLastError() == ERROR_BROKEN_PIPE) {
        return FALSE; /* A failure at once sends no packet. */
    }
    begun("ReadFile", done);
    return TRUE;
}

/* Serves until every client has come and gone; gives how many messages were echoed. */
static int serve(HANDLE port) {
    int messages = 0, gone = 0;
    while (gone < CLIENTS) {
        DWORD bytes;
        ULONG_PTR key;
        OVERLAPPED *overlapped;
        BOOL good = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, INFINITE);
        if (overlapped == NULL) {
            fail("GetQueuedCompletionStatus");
        }
        struct instance *instance = (struct instance *)overlapped;
        if (!good && GetLastError() != ERROR_BROKEN_PIPE) {
            fail("an operation");
        }
        if (good && instance->step == READING) {
            messages++;
            instance->step = WRITING;
            begun("WriteFile", WriteFile(instance->pipe, instance->buffer, bytes, NULL,
                                         &instance->overlapped));
        } else if (!good || !read_message(instance)) {
            gone++;
            DisconnectNamedPipe(instance->pipe);
            listen_for(port, instance);
        }
    }
    return messages;
}

static HANDLE open_pipe(void) {
    for (;;) {
        HANDLE pipe = CreateFileA(PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                                  FILE_FLAG_OVERLAPPED, NULL);
        if (pipe != INVALID_HANDLE_VALUE) {
            DWORD mode = PIPE_READMODE_MESSAGE;
            if (!SetNamedPipeHandleState(pipe, &mode, NULL, NULL)) {
                fail("SetNamedPipeHandleState");
            }
            return pipe;
        }
        /* Whoever waits may find another client in the instance; it waits again. */
        if (GetLastError() != ERROR_PIPE_BUSY) {
            fail("CreateFile");
        }
        WaitNamedPipeA(PIPE, NMPWAIT_WAIT_FOREVER);
    }
}

static DWORD wait_for(HANDLE pipe, OVERLAPPED *overlapped) {
    DWORD bytes;
    if (!GetOverlappedResult(pipe, overlapped, &bytes, TRUE)) {
        fail("GetOverlappedResult");
    }
    return bytes;
}

static DWORD WINAPI run_client(void *context) {
    struct client *client = context;
    HANDLE pipe = open_pipe();
    OVERLAPPED overlapped = {0};
    overlapped.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        char message[16];
        int length = snprintf(message, sizeof message, "hello %d.%d", client->number, round);
        begun("WriteFile", WriteFile(pipe, message, length, NULL, &overlapped));
        wait_for(pipe, &overlapped);
        begun("ReadFile", ReadFile(pipe, client->answers[round], 15, NULL, &overlapped));
        client->answers[round][wait_for(pipe, &overlapped)] = 0;
    }
    CloseHandle(overlapped.hEvent);
    CloseHandle(pipe);
    SetEvent(client->done);
    return 0;
}

int main(void) {
    static struct instance instances[INSTANCES];
    static struct client clients[CLIENTS];
    HANDLE done[CLIENTS];

    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    for (int i = 0; i < INSTANCES; i++) {
        struct instance *instance = &instances[i];
        instance->pipe = CreateNamedPipeA(PIPE, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                          PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, INSTANCES,
                                          512, 512, 0, NULL);
        if (instance->pipe == INVALID_HANDLE_VALUE) {
            fail("CreateNamedPipe");
        }
        if (CreateIoCompletionPort(instance->pipe, port, 1, 0) != port) {
            fail("CreateIoCompletionPort");
        }
        listen_for(port, instance);
    }
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].number = i;
        clients[i].done = done[i] = CreateEventA(NULL, TRUE, FALSE, NULL);
        QueueUserWorkItem(run_client, &clients[i], WT_EXECUTELONGFUNCTION);
    }

    int messages = serve(port);
    WaitForMultipleObjects(CLIENTS, done, TRUE, INFINITE);
    printf("%d messages\n", messages);
    for (int i = 0; i < CLIENTS; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            printf("client %d got \"%s\"\n", i, clients[i].answers[round]);
        }
    }
    return 0;
}

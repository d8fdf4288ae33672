/*
 * The Win32 functions around named pipes, over npfs.
 *
 * Names, types and numbers are those of the Windows headers, so that a program which includes
 * <windows.h> builds as it is with -I to this directory and -lnpfs_c. Off Windows wchar_t is too
 * wide for WCHAR: write strings as u"..." or use the A functions, whose strings are UTF-8 here, or
 * compile with -fshort-wchar.
 *
 * The parts between the marks are written from the Rust declarations by tests/header.rs.
 */
#ifndef NPFS_H
#define NPFS_H

#ifdef _WIN32
#error "On Windows this is <windows.h>'s to declare."
#endif

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define NPFS_ASSERT(truth) static_assert(truth, #truth)
#else
#define NPFS_ASSERT(truth) _Static_assert(truth, #truth)
#endif

/* Structures without a name are C11, and an extension in C++. */
#ifdef __GNUC__
#define NPFS_ANONYMOUS __extension__
#else
#define NPFS_ANONYMOUS
#endif

#define WINAPI
#define CALLBACK
#define NTAPI
#define TRUE 1
#define FALSE 0

typedef int BOOL;
typedef uint8_t BOOLEAN;
typedef uint8_t BYTE, UCHAR;
typedef uint16_t WORD, USHORT;
typedef uint32_t DWORD, ULONG, UINT;
typedef int32_t LONG, NTSTATUS;
typedef int64_t LONGLONG;
typedef uint64_t ULONGLONG;
typedef uintptr_t ULONG_PTR, SIZE_T, DWORD_PTR;
typedef char CHAR;
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#else
typedef uint16_t WCHAR;
#endif
typedef void *PVOID, *LPVOID, *HANDLE, *HLOCAL;
typedef const void *LPCVOID;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef DWORD *PDWORD, *LPDWORD;
typedef CHAR *PSTR, *LPSTR;
typedef const CHAR *PCSTR, *LPCSTR;
typedef WCHAR *PWSTR, *LPWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR;

#define INVALID_HANDLE_VALUE ((HANDLE)(ptrdiff_t)-1)

typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    NPFS_ANONYMOUS union {
        NPFS_ANONYMOUS struct {
            DWORD Offset;
            DWORD OffsetHigh;
        };
        PVOID Pointer;
    };
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

typedef struct _OVERLAPPED_ENTRY {
    ULONG_PTR lpCompletionKey;
    LPOVERLAPPED lpOverlapped;
    ULONG_PTR Internal;
    DWORD dwNumberOfBytesTransferred;
} OVERLAPPED_ENTRY, *LPOVERLAPPED_ENTRY;

#define HasOverlappedIoCompleted(overlapped) \
    (((volatile OVERLAPPED *)(overlapped))->Internal != (DWORD)STATUS_PENDING)

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME;

typedef struct _WIN32_FIND_DATAA {
    DWORD dwFileAttributes;
    FILETIME ftCreationTime;
    FILETIME ftLastAccessTime;
    FILETIME ftLastWriteTime;
    DWORD nFileSizeHigh;
    DWORD nFileSizeLow;
    DWORD dwReserved0;
    DWORD dwReserved1;
    CHAR cFileName[260];
    CHAR cAlternateFileName[14];
} WIN32_FIND_DATAA;

typedef struct _WIN32_FIND_DATAW {
    DWORD dwFileAttributes;
    FILETIME ftCreationTime;
    FILETIME ftLastAccessTime;
    FILETIME ftLastWriteTime;
    DWORD nFileSizeHigh;
    DWORD nFileSizeLow;
    DWORD dwReserved0;
    DWORD dwReserved1;
    WCHAR cFileName[260];
    WCHAR cAlternateFileName[14];
} WIN32_FIND_DATAW;

typedef struct _CREATEFILE2_EXTENDED_PARAMETERS {
    DWORD dwSize;
    DWORD dwFileAttributes;
    DWORD dwFileFlags;
    DWORD dwSecurityQosFlags;
    LPSECURITY_ATTRIBUTES lpSecurityAttributes;
    HANDLE hTemplateFile;
} CREATEFILE2_EXTENDED_PARAMETERS;

typedef int FILE_INFO_BY_HANDLE_CLASS;

typedef void(WINAPI *LPOVERLAPPED_COMPLETION_ROUTINE)(DWORD, DWORD, LPOVERLAPPED);
typedef void(NTAPI *PAPCFUNC)(ULONG_PTR);
typedef void(CALLBACK *WAITORTIMERCALLBACK)(PVOID, BOOLEAN);
typedef DWORD(WINAPI *LPTHREAD_START_ROUTINE)(LPVOID);

typedef struct _TP_IO *PTP_IO;
typedef struct _TP_CALLBACK_INSTANCE *PTP_CALLBACK_INSTANCE;
typedef struct _TP_CALLBACK_ENVIRON_V3 TP_CALLBACK_ENVIRON_V3;
typedef void(CALLBACK *PTP_WIN32_IO_CALLBACK)(
    PTP_CALLBACK_INSTANCE, PVOID, PVOID, ULONG, ULONG_PTR, PTP_IO);

typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING;

typedef struct _SECURITY_QUALITY_OF_SERVICE {
    DWORD Length;
    int ImpersonationLevel;
    BOOLEAN ContextTrackingMode;
    BOOLEAN EffectiveOnly;
} SECURITY_QUALITY_OF_SERVICE;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    const UNICODE_STRING *ObjectName;
    ULONG Attributes;
    const void *SecurityDescriptor;
    const SECURITY_QUALITY_OF_SERVICE *SecurityQualityOfService;
} OBJECT_ATTRIBUTES;

typedef struct _IO_STATUS_BLOCK {
    NPFS_ANONYMOUS union {
        NTSTATUS Status;
        PVOID Pointer;
    };
    ULONG_PTR Information;
} IO_STATUS_BLOCK;

typedef void(NTAPI *PIO_APC_ROUTINE)(PVOID, IO_STATUS_BLOCK *, ULONG);
typedef int FILE_INFORMATION_CLASS, FS_INFORMATION_CLASS, OBJECT_INFORMATION_CLASS;

/* Sizes and places as Rust has them. */
/* begin layouts */
NPFS_ASSERT(sizeof(SECURITY_ATTRIBUTES) == 24);
NPFS_ASSERT(offsetof(SECURITY_ATTRIBUTES, lpSecurityDescriptor) == 8);
NPFS_ASSERT(offsetof(SECURITY_ATTRIBUTES, bInheritHandle) == 16);
NPFS_ASSERT(sizeof(OVERLAPPED) == 32);
NPFS_ASSERT(offsetof(OVERLAPPED, Internal) == 0);
NPFS_ASSERT(offsetof(OVERLAPPED, InternalHigh) == 8);
NPFS_ASSERT(offsetof(OVERLAPPED, hEvent) == 24);
NPFS_ASSERT(sizeof(OVERLAPPED_ENTRY) == 32);
NPFS_ASSERT(offsetof(OVERLAPPED_ENTRY, lpCompletionKey) == 0);
NPFS_ASSERT(offsetof(OVERLAPPED_ENTRY, lpOverlapped) == 8);
NPFS_ASSERT(offsetof(OVERLAPPED_ENTRY, Internal) == 16);
NPFS_ASSERT(offsetof(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred) == 24);
NPFS_ASSERT(sizeof(WIN32_FIND_DATAA) == 320);
NPFS_ASSERT(offsetof(WIN32_FIND_DATAA, nFileSizeLow) == 32);
NPFS_ASSERT(offsetof(WIN32_FIND_DATAA, cFileName) == 44);
NPFS_ASSERT(offsetof(WIN32_FIND_DATAA, cAlternateFileName) == 304);
NPFS_ASSERT(sizeof(WIN32_FIND_DATAW) == 592);
NPFS_ASSERT(offsetof(WIN32_FIND_DATAW, nFileSizeLow) == 32);
NPFS_ASSERT(offsetof(WIN32_FIND_DATAW, cFileName) == 44);
NPFS_ASSERT(offsetof(WIN32_FIND_DATAW, cAlternateFileName) == 564);
NPFS_ASSERT(sizeof(CREATEFILE2_EXTENDED_PARAMETERS) == 32);
NPFS_ASSERT(offsetof(CREATEFILE2_EXTENDED_PARAMETERS, dwFileFlags) == 8);
NPFS_ASSERT(offsetof(CREATEFILE2_EXTENDED_PARAMETERS, lpSecurityAttributes) == 16);
NPFS_ASSERT(offsetof(CREATEFILE2_EXTENDED_PARAMETERS, hTemplateFile) == 24);
NPFS_ASSERT(sizeof(UNICODE_STRING) == 16);
NPFS_ASSERT(offsetof(UNICODE_STRING, MaximumLength) == 2);
NPFS_ASSERT(offsetof(UNICODE_STRING, Buffer) == 8);
NPFS_ASSERT(sizeof(SECURITY_QUALITY_OF_SERVICE) == 12);
NPFS_ASSERT(offsetof(SECURITY_QUALITY_OF_SERVICE, ImpersonationLevel) == 4);
NPFS_ASSERT(offsetof(SECURITY_QUALITY_OF_SERVICE, EffectiveOnly) == 9);
NPFS_ASSERT(sizeof(OBJECT_ATTRIBUTES) == 48);
NPFS_ASSERT(offsetof(OBJECT_ATTRIBUTES, RootDirectory) == 8);
NPFS_ASSERT(offsetof(OBJECT_ATTRIBUTES, ObjectName) == 16);
NPFS_ASSERT(offsetof(OBJECT_ATTRIBUTES, Attributes) == 24);
NPFS_ASSERT(offsetof(OBJECT_ATTRIBUTES, SecurityQualityOfService) == 40);
NPFS_ASSERT(sizeof(IO_STATUS_BLOCK) == 16);
NPFS_ASSERT(offsetof(IO_STATUS_BLOCK, Information) == 8);
/* end layouts */

/* begin constants */
#define ERROR_SUCCESS 0
#define ERROR_INVALID_FUNCTION 1
#define ERROR_FILE_NOT_FOUND 2
#define ERROR_PATH_NOT_FOUND 3
#define ERROR_ACCESS_DENIED 5
#define ERROR_INVALID_HANDLE 6
#define ERROR_NO_MORE_FILES 18
#define ERROR_BAD_LENGTH 24
#define ERROR_GEN_FAILURE 31
#define ERROR_NOT_SUPPORTED 50
#define ERROR_INVALID_PARAMETER 87
#define ERROR_BROKEN_PIPE 109
#define ERROR_SEM_TIMEOUT 121
#define ERROR_INSUFFICIENT_BUFFER 122
#define ERROR_INVALID_NAME 123
#define ERROR_BAD_PATHNAME 161
#define ERROR_ALREADY_EXISTS 183
#define ERROR_BAD_PIPE 230
#define ERROR_PIPE_BUSY 231
#define ERROR_NO_DATA 232
#define ERROR_PIPE_NOT_CONNECTED 233
#define ERROR_MORE_DATA 234
#define ERROR_PIPE_CONNECTED 535
#define ERROR_PIPE_LISTENING 536
#define ERROR_ABANDONED_WAIT_0 735
#define ERROR_OPERATION_ABORTED 995
#define ERROR_IO_INCOMPLETE 996
#define ERROR_IO_PENDING 997
#define ERROR_NOACCESS 998
#define ERROR_NOT_FOUND 1168
#define ERROR_CANNOT_IMPERSONATE 1368
#define ERROR_NOT_SAME_OBJECT 1656
#define WAIT_OBJECT_0 0
#define WAIT_TIMEOUT 258
#define WAIT_IO_COMPLETION 192
#define WAIT_FAILED 0xFFFFFFFF
#define STATUS_SUCCESS 0
#define STATUS_TIMEOUT 258
#define STATUS_PENDING 259
#define STATUS_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)
#define STATUS_NO_MORE_FILES ((NTSTATUS)0x80000006)
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define STATUS_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define STATUS_OBJECT_NAME_INVALID ((NTSTATUS)0xC0000033)
#define STATUS_OBJECT_NAME_NOT_FOUND ((NTSTATUS)0xC0000034)
#define STATUS_INSTANCE_NOT_AVAILABLE ((NTSTATUS)0xC00000AB)
#define STATUS_PIPE_NOT_AVAILABLE ((NTSTATUS)0xC00000AC)
#define STATUS_INVALID_PIPE_STATE ((NTSTATUS)0xC00000AD)
#define STATUS_PIPE_BUSY ((NTSTATUS)0xC00000AE)
#define STATUS_ILLEGAL_FUNCTION ((NTSTATUS)0xC00000AF)
#define STATUS_PIPE_DISCONNECTED ((NTSTATUS)0xC00000B0)
#define STATUS_PIPE_CLOSING ((NTSTATUS)0xC00000B1)
#define STATUS_PIPE_CONNECTED ((NTSTATUS)0xC00000B2)
#define STATUS_PIPE_LISTENING ((NTSTATUS)0xC00000B3)
#define STATUS_INVALID_READ_MODE ((NTSTATUS)0xC00000B4)
#define STATUS_IO_TIMEOUT ((NTSTATUS)0xC00000B5)
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#define STATUS_PIPE_EMPTY ((NTSTATUS)0xC00000D9)
#define STATUS_CANCELLED ((NTSTATUS)0xC0000120)
#define STATUS_PIPE_BROKEN ((NTSTATUS)0xC000014B)
#define STATUS_NOT_FOUND ((NTSTATUS)0xC0000225)
#define GENERIC_READ 0x80000000
#define GENERIC_WRITE 0x40000000
#define GENERIC_EXECUTE 0x20000000
#define GENERIC_ALL 0x10000000
#define DUPLICATE_CLOSE_SOURCE 1
#define DUPLICATE_SAME_ACCESS 2
#define HANDLE_FLAG_INHERIT 1
#define HANDLE_FLAG_PROTECT_FROM_CLOSE 2
#define FILE_READ_DATA 1
#define FILE_WRITE_DATA 2
#define FILE_APPEND_DATA 4
#define FILE_CREATE_PIPE_INSTANCE 4
#define FILE_READ_ATTRIBUTES 128
#define FILE_WRITE_ATTRIBUTES 256
#define FILE_GENERIC_READ 0x00120089
#define FILE_GENERIC_WRITE 0x00120116
#define FILE_ALL_ACCESS 0x001F01FF
#define DELETE 0x00010000
#define READ_CONTROL 0x00020000
#define WRITE_DAC 0x00040000
#define WRITE_OWNER 0x00080000
#define SYNCHRONIZE 0x00100000
#define FILE_SHARE_READ 1
#define FILE_SHARE_WRITE 2
#define FILE_SHARE_DELETE 4
#define CREATE_NEW 1
#define CREATE_ALWAYS 2
#define OPEN_EXISTING 3
#define OPEN_ALWAYS 4
#define TRUNCATE_EXISTING 5
#define FILE_FLAG_OVERLAPPED 0x40000000
#define FILE_FLAG_WRITE_THROUGH 0x80000000
#define FILE_FLAG_FIRST_PIPE_INSTANCE 0x00080000
#define PIPE_ACCESS_INBOUND 1
#define PIPE_ACCESS_OUTBOUND 2
#define PIPE_ACCESS_DUPLEX 3
#define SECURITY_SQOS_PRESENT 0x00100000
#define SECURITY_ANONYMOUS 0
#define SECURITY_IDENTIFICATION 0x00010000
#define SECURITY_IMPERSONATION 0x00020000
#define SECURITY_DELEGATION 0x00030000
#define SECURITY_CONTEXT_TRACKING 0x00040000
#define SECURITY_EFFECTIVE_ONLY 0x00080000
#define FILE_TYPE_UNKNOWN 0
#define FILE_TYPE_PIPE 3
#define FILE_ATTRIBUTE_NORMAL 128
#define INVALID_FILE_ATTRIBUTES 0xFFFFFFFF
#define VOLUME_NAME_DOS 0
#define VOLUME_NAME_NT 2
#define FileBasicInfo 0
#define FileStandardInfo 1
#define FileNameInfo 2
#define PIPE_WAIT 0
#define PIPE_NOWAIT 1
#define PIPE_READMODE_BYTE 0
#define PIPE_READMODE_MESSAGE 2
#define PIPE_TYPE_BYTE 0
#define PIPE_TYPE_MESSAGE 4
#define PIPE_ACCEPT_REMOTE_CLIENTS 0
#define PIPE_REJECT_REMOTE_CLIENTS 8
#define PIPE_CLIENT_END 0
#define PIPE_SERVER_END 1
#define PIPE_UNLIMITED_INSTANCES 255
#define NMPWAIT_NOWAIT 1
#define NMPWAIT_USE_DEFAULT_WAIT 0
#define NMPWAIT_WAIT_FOREVER 0xFFFFFFFF
#define INFINITE 0xFFFFFFFF
#define CREATE_EVENT_MANUAL_RESET 1
#define CREATE_EVENT_INITIAL_SET 2
#define WT_EXECUTEDEFAULT 0
#define WT_EXECUTEONLYONCE 8
#define WT_EXECUTELONGFUNCTION 16
#define THREAD_ALL_ACCESS 0x001FFFFF
#define PROCESS_DUP_HANDLE 64
#define MAXIMUM_ALLOWED 0x02000000
#define ACCESS_SYSTEM_SECURITY 0x01000000
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1
#define FILE_SKIP_SET_EVENT_ON_HANDLE 2
#define FILE_OPEN 1
#define FILE_CREATE 2
#define FILE_OPEN_IF 3
#define FILE_SYNCHRONOUS_IO_ALERT 16
#define FILE_SYNCHRONOUS_IO_NONALERT 32
#define FSCTL_PIPE_DISCONNECT 0x00110004
#define FSCTL_PIPE_LISTEN 0x00110008
#define FSCTL_PIPE_PEEK 0x0011400C
#define FSCTL_PIPE_TRANSCEIVE 0x0011C017
#define FSCTL_PIPE_WAIT 0x00110018
#define FSCTL_PIPE_IMPERSONATE 0x0011001C
#define FilePipeInformation 23
#define FilePipeLocalInformation 24
#define FileCompletionInformation 30
/* end constants */

/* begin functions */

/* Win32::Foundation */
BOOL WINAPI CloseHandle(HANDLE hobject);
BOOL WINAPI CompareObjectHandles(HANDLE hfirstobjecthandle, HANDLE hsecondobjecthandle);
BOOL WINAPI DuplicateHandle(
    HANDLE hsourceprocesshandle,
    HANDLE hsourcehandle,
    HANDLE htargetprocesshandle,
    HANDLE *lptargethandle,
    DWORD dwdesiredaccess,
    BOOL binherithandle,
    DWORD dwoptions);
BOOL WINAPI GetHandleInformation(HANDLE hobject, DWORD *lpdwflags);
BOOL WINAPI SetHandleInformation(HANDLE hobject, DWORD dwmask, DWORD dwflags);
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwerrcode);
HLOCAL WINAPI LocalFree(HLOCAL hmem);
DWORD WINAPI RtlNtStatusToDosError(NTSTATUS status);

/* Win32::Security */
BOOL WINAPI RevertToSelf(void);

/* Win32::Storage::FileSystem */
HANDLE WINAPI CreateFileW(
    LPCWSTR lpfilename,
    DWORD dwdesiredaccess,
    DWORD dwsharemode,
    const SECURITY_ATTRIBUTES *lpsecurityattributes,
    DWORD dwcreationdisposition,
    DWORD dwflagsandattributes,
    HANDLE htemplatefile);
HANDLE WINAPI CreateFileA(
    LPCSTR lpfilename,
    DWORD dwdesiredaccess,
    DWORD dwsharemode,
    const SECURITY_ATTRIBUTES *lpsecurityattributes,
    DWORD dwcreationdisposition,
    DWORD dwflagsandattributes,
    HANDLE htemplatefile);
HANDLE WINAPI CreateFile2(
    LPCWSTR lpfilename,
    DWORD dwdesiredaccess,
    DWORD dwsharemode,
    DWORD dwcreationdisposition,
    const CREATEFILE2_EXTENDED_PARAMETERS *pcreateexparams);
HANDLE WINAPI ReOpenFile(
    HANDLE horiginalfile,
    DWORD dwdesiredaccess,
    DWORD dwsharemode,
    DWORD dwflagsandattributes);
BOOL WINAPI ReadFile(
    HANDLE hfile,
    void *lpbuffer,
    DWORD nnumberofbytestoread,
    DWORD *lpnumberofbytesread,
    OVERLAPPED *lpoverlapped);
BOOL WINAPI ReadFileEx(
    HANDLE hfile,
    void *lpbuffer,
    DWORD nnumberofbytestoread,
    OVERLAPPED *lpoverlapped,
    LPOVERLAPPED_COMPLETION_ROUTINE lpcompletionroutine);
BOOL WINAPI WriteFile(
    HANDLE hfile,
    const void *lpbuffer,
    DWORD nnumberofbytestowrite,
    DWORD *lpnumberofbyteswritten,
    OVERLAPPED *lpoverlapped);
BOOL WINAPI WriteFileEx(
    HANDLE hfile,
    const void *lpbuffer,
    DWORD nnumberofbytestowrite,
    OVERLAPPED *lpoverlapped,
    LPOVERLAPPED_COMPLETION_ROUTINE lpcompletionroutine);
BOOL WINAPI FlushFileBuffers(HANDLE hfile);
DWORD WINAPI GetFileType(HANDLE hfile);
BOOL WINAPI SetFileCompletionNotificationModes(HANDLE filehandle, UCHAR flags);
HANDLE WINAPI FindFirstFileW(LPCWSTR lpfilename, WIN32_FIND_DATAW *lpfindfiledata);
HANDLE WINAPI FindFirstFileA(LPCSTR lpfilename, WIN32_FIND_DATAA *lpfindfiledata);
BOOL WINAPI FindNextFileW(HANDLE hfindfile, WIN32_FIND_DATAW *lpfindfiledata);
BOOL WINAPI FindNextFileA(HANDLE hfindfile, WIN32_FIND_DATAA *lpfindfiledata);
BOOL WINAPI FindClose(HANDLE hfindfile);
BOOL WINAPI GetFileInformationByHandleEx(
    HANDLE hfile,
    FILE_INFO_BY_HANDLE_CLASS fileinformationclass,
    void *lpfileinformation,
    DWORD dwbuffersize);
BOOL WINAPI SetFileInformationByHandle(
    HANDLE hfile,
    FILE_INFO_BY_HANDLE_CLASS fileinformationclass,
    const void *lpfileinformation,
    DWORD dwbuffersize);
DWORD WINAPI GetFinalPathNameByHandleW(
    HANDLE hfile,
    LPWSTR lpszfilepath,
    DWORD cchfilepath,
    DWORD dwflags);
DWORD WINAPI GetFinalPathNameByHandleA(
    HANDLE hfile,
    LPSTR lpszfilepath,
    DWORD cchfilepath,
    DWORD dwflags);
DWORD WINAPI GetFileAttributesW(LPCWSTR lpfilename);
DWORD WINAPI GetFileAttributesA(LPCSTR lpfilename);

/* Win32::System::IO */
HANDLE WINAPI CreateIoCompletionPort(
    HANDLE filehandle,
    HANDLE existingcompletionport,
    ULONG_PTR completionkey,
    DWORD numberofconcurrentthreads);
BOOL WINAPI GetQueuedCompletionStatus(
    HANDLE completionport,
    DWORD *lpnumberofbytestransferred,
    ULONG_PTR *lpcompletionkey,
    OVERLAPPED **lpoverlapped,
    DWORD dwmilliseconds);
BOOL WINAPI GetQueuedCompletionStatusEx(
    HANDLE completionport,
    OVERLAPPED_ENTRY *lpcompletionportentries,
    DWORD ulcount,
    DWORD *ulnumentriesremoved,
    DWORD dwmilliseconds,
    BOOL falertable);
BOOL WINAPI PostQueuedCompletionStatus(
    HANDLE completionport,
    DWORD dwnumberofbytestransferred,
    ULONG_PTR dwcompletionkey,
    const OVERLAPPED *lpoverlapped);
BOOL WINAPI GetOverlappedResult(
    HANDLE hfile,
    const OVERLAPPED *lpoverlapped,
    DWORD *lpnumberofbytestransferred,
    BOOL bwait);
BOOL WINAPI GetOverlappedResultEx(
    HANDLE hfile,
    const OVERLAPPED *lpoverlapped,
    DWORD *lpnumberofbytestransferred,
    DWORD dwmilliseconds,
    BOOL balertable);
BOOL WINAPI CancelIo(HANDLE hfile);
BOOL WINAPI CancelIoEx(HANDLE hfile, const OVERLAPPED *lpoverlapped);
BOOL WINAPI CancelSynchronousIo(HANDLE hthread);
BOOL WINAPI DeviceIoControl(
    HANDLE hdevice,
    DWORD dwiocontrolcode,
    const void *lpinbuffer,
    DWORD ninbuffersize,
    void *lpoutbuffer,
    DWORD noutbuffersize,
    DWORD *lpbytesreturned,
    OVERLAPPED *lpoverlapped);
BOOL WINAPI BindIoCompletionCallback(
    HANDLE filehandle,
    LPOVERLAPPED_COMPLETION_ROUTINE function,
    DWORD flags);

/* Win32::System::Pipes */
HANDLE WINAPI CreateNamedPipeW(
    LPCWSTR lpname,
    DWORD dwopenmode,
    DWORD dwpipemode,
    DWORD nmaxinstances,
    DWORD noutbuffersize,
    DWORD ninbuffersize,
    DWORD ndefaulttimeout,
    const SECURITY_ATTRIBUTES *lpsecurityattributes);
HANDLE WINAPI CreateNamedPipeA(
    LPCSTR lpname,
    DWORD dwopenmode,
    DWORD dwpipemode,
    DWORD nmaxinstances,
    DWORD noutbuffersize,
    DWORD ninbuffersize,
    DWORD ndefaulttimeout,
    const SECURITY_ATTRIBUTES *lpsecurityattributes);
BOOL WINAPI ConnectNamedPipe(HANDLE hnamedpipe, OVERLAPPED *lpoverlapped);
BOOL WINAPI DisconnectNamedPipe(HANDLE hnamedpipe);
BOOL WINAPI WaitNamedPipeW(LPCWSTR lpnamedpipename, DWORD ntimeout);
BOOL WINAPI WaitNamedPipeA(LPCSTR lpnamedpipename, DWORD ntimeout);
BOOL WINAPI PeekNamedPipe(
    HANDLE hnamedpipe,
    void *lpbuffer,
    DWORD nbuffersize,
    DWORD *lpbytesread,
    DWORD *lptotalbytesavail,
    DWORD *lpbytesleftthismessage);
BOOL WINAPI TransactNamedPipe(
    HANDLE hnamedpipe,
    const void *lpinbuffer,
    DWORD ninbuffersize,
    void *lpoutbuffer,
    DWORD noutbuffersize,
    DWORD *lpbytesread,
    OVERLAPPED *lpoverlapped);
BOOL WINAPI CallNamedPipeW(
    LPCWSTR lpnamedpipename,
    const void *lpinbuffer,
    DWORD ninbuffersize,
    void *lpoutbuffer,
    DWORD noutbuffersize,
    DWORD *lpbytesread,
    DWORD ntimeout);
BOOL WINAPI CallNamedPipeA(
    LPCSTR lpnamedpipename,
    const void *lpinbuffer,
    DWORD ninbuffersize,
    void *lpoutbuffer,
    DWORD noutbuffersize,
    DWORD *lpbytesread,
    DWORD ntimeout);
BOOL WINAPI SetNamedPipeHandleState(
    HANDLE hnamedpipe,
    const DWORD *lpmode,
    const DWORD *lpmaxcollectioncount,
    const DWORD *lpcollectdatatimeout);
BOOL WINAPI GetNamedPipeHandleStateW(
    HANDLE hnamedpipe,
    DWORD *lpstate,
    DWORD *lpcurinstances,
    DWORD *lpmaxcollectioncount,
    DWORD *lpcollectdatatimeout,
    LPWSTR lpusername,
    DWORD nmaxusernamesize);
BOOL WINAPI GetNamedPipeHandleStateA(
    HANDLE hnamedpipe,
    DWORD *lpstate,
    DWORD *lpcurinstances,
    DWORD *lpmaxcollectioncount,
    DWORD *lpcollectdatatimeout,
    LPSTR lpusername,
    DWORD nmaxusernamesize);
BOOL WINAPI GetNamedPipeInfo(
    HANDLE hnamedpipe,
    DWORD *lpflags,
    DWORD *lpoutbuffersize,
    DWORD *lpinbuffersize,
    DWORD *lpmaxinstances);
BOOL WINAPI GetNamedPipeClientProcessId(HANDLE pipe, DWORD *clientprocessid);
BOOL WINAPI GetNamedPipeServerProcessId(HANDLE pipe, DWORD *serverprocessid);
BOOL WINAPI GetNamedPipeClientSessionId(HANDLE pipe, DWORD *clientsessionid);
BOOL WINAPI GetNamedPipeServerSessionId(HANDLE pipe, DWORD *serversessionid);
BOOL WINAPI GetNamedPipeClientComputerNameW(
    HANDLE pipe,
    LPWSTR clientcomputername,
    DWORD clientcomputernamelength);
BOOL WINAPI GetNamedPipeClientComputerNameA(
    HANDLE pipe,
    LPSTR clientcomputername,
    DWORD clientcomputernamelength);
BOOL WINAPI ImpersonateNamedPipeClient(HANDLE hnamedpipe);
BOOL WINAPI CreatePipe(
    HANDLE *hreadpipe,
    HANDLE *hwritepipe,
    const SECURITY_ATTRIBUTES *lppipeattributes,
    DWORD nsize);

/* Win32::System::Threading */
HANDLE WINAPI CreateEventW(
    const SECURITY_ATTRIBUTES *lpeventattributes,
    BOOL bmanualreset,
    BOOL binitialstate,
    LPCWSTR lpname);
HANDLE WINAPI CreateEventA(
    const SECURITY_ATTRIBUTES *lpeventattributes,
    BOOL bmanualreset,
    BOOL binitialstate,
    LPCSTR lpname);
HANDLE WINAPI CreateEventExW(
    const SECURITY_ATTRIBUTES *lpeventattributes,
    LPCWSTR lpname,
    DWORD dwflags,
    DWORD dwdesiredaccess);
HANDLE WINAPI CreateEventExA(
    const SECURITY_ATTRIBUTES *lpeventattributes,
    LPCSTR lpname,
    DWORD dwflags,
    DWORD dwdesiredaccess);
HANDLE WINAPI OpenEventW(DWORD dwdesiredaccess, BOOL binherithandle, LPCWSTR lpname);
HANDLE WINAPI OpenEventA(DWORD dwdesiredaccess, BOOL binherithandle, LPCSTR lpname);
BOOL WINAPI SetEvent(HANDLE hevent);
BOOL WINAPI ResetEvent(HANDLE hevent);
DWORD WINAPI WaitForSingleObject(HANDLE hhandle, DWORD dwmilliseconds);
DWORD WINAPI WaitForSingleObjectEx(HANDLE hhandle, DWORD dwmilliseconds, BOOL balertable);
DWORD WINAPI WaitForMultipleObjects(
    DWORD ncount,
    const HANDLE *lphandles,
    BOOL bwaitall,
    DWORD dwmilliseconds);
DWORD WINAPI WaitForMultipleObjectsEx(
    DWORD ncount,
    const HANDLE *lphandles,
    BOOL bwaitall,
    DWORD dwmilliseconds,
    BOOL balertable);
DWORD WINAPI SignalObjectAndWait(
    HANDLE hobjecttosignal,
    HANDLE hobjecttowaiton,
    DWORD dwmilliseconds,
    BOOL balertable);
void WINAPI Sleep(DWORD dwmilliseconds);
DWORD WINAPI SleepEx(DWORD dwmilliseconds, BOOL balertable);
DWORD WINAPI QueueUserAPC(PAPCFUNC pfnapc, HANDLE hthread, ULONG_PTR dwdata);
HANDLE WINAPI GetCurrentThread(void);
DWORD WINAPI GetCurrentThreadId(void);
HANDLE WINAPI GetCurrentProcess(void);
DWORD WINAPI GetCurrentProcessId(void);
HANDLE WINAPI OpenThread(DWORD dwdesiredaccess, BOOL binherithandle, DWORD dwthreadid);
HANDLE WINAPI OpenProcess(DWORD dwdesiredaccess, BOOL binherithandle, DWORD dwprocessid);
BOOL WINAPI RegisterWaitForSingleObject(
    HANDLE *phnewwaitobject,
    HANDLE hobject,
    WAITORTIMERCALLBACK callback,
    const void *context,
    DWORD dwmilliseconds,
    DWORD dwflags);
BOOL WINAPI UnregisterWait(HANDLE waithandle);
BOOL WINAPI UnregisterWaitEx(HANDLE waithandle, HANDLE completionevent);
BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE function, const void *context, DWORD flags);
PTP_IO WINAPI CreateThreadpoolIo(
    HANDLE fl,
    PTP_WIN32_IO_CALLBACK pfnio,
    void *pv,
    const TP_CALLBACK_ENVIRON_V3 *pcbe);
void WINAPI StartThreadpoolIo(PTP_IO pio);
void WINAPI CancelThreadpoolIo(PTP_IO pio);
void WINAPI WaitForThreadpoolIoCallbacks(PTP_IO pio, BOOL fcancelpendingcallbacks);
void WINAPI CloseThreadpoolIo(PTP_IO pio);

/* Wdk::Foundation */
NTSTATUS WINAPI NtClose(HANDLE handle);
NTSTATUS WINAPI NtQueryObject(
    HANDLE handle,
    OBJECT_INFORMATION_CLASS objectinformationclass,
    void *objectinformation,
    DWORD objectinformationlength,
    DWORD *returnlength);

/* Wdk::Storage::FileSystem */
NTSTATUS WINAPI NtReadFile(
    HANDLE filehandle,
    HANDLE event,
    PIO_APC_ROUTINE apcroutine,
    const void *apccontext,
    IO_STATUS_BLOCK *iostatusblock,
    void *buffer,
    DWORD length,
    const LONGLONG *byteoffset,
    const DWORD *key);
NTSTATUS WINAPI NtWriteFile(
    HANDLE filehandle,
    HANDLE event,
    PIO_APC_ROUTINE apcroutine,
    const void *apccontext,
    IO_STATUS_BLOCK *iostatusblock,
    const void *buffer,
    DWORD length,
    const LONGLONG *byteoffset,
    const DWORD *key);
NTSTATUS WINAPI NtFsControlFile(
    HANDLE filehandle,
    HANDLE event,
    PIO_APC_ROUTINE apcroutine,
    const void *apccontext,
    IO_STATUS_BLOCK *iostatusblock,
    DWORD fscontrolcode,
    const void *inputbuffer,
    DWORD inputbufferlength,
    void *outputbuffer,
    DWORD outputbufferlength);
NTSTATUS WINAPI NtQueryInformationFile(
    HANDLE filehandle,
    IO_STATUS_BLOCK *iostatusblock,
    void *fileinformation,
    DWORD length,
    FILE_INFORMATION_CLASS fileinformationclass);
NTSTATUS WINAPI NtSetInformationFile(
    HANDLE filehandle,
    IO_STATUS_BLOCK *iostatusblock,
    const void *fileinformation,
    DWORD length,
    FILE_INFORMATION_CLASS fileinformationclass);
NTSTATUS WINAPI NtQueryDirectoryFile(
    HANDLE filehandle,
    HANDLE event,
    PIO_APC_ROUTINE apcroutine,
    const void *apccontext,
    IO_STATUS_BLOCK *iostatusblock,
    void *fileinformation,
    DWORD length,
    FILE_INFORMATION_CLASS fileinformationclass,
    BOOLEAN returnsingleentry,
    const UNICODE_STRING *filename,
    BOOLEAN restartscan);
NTSTATUS WINAPI NtQueryVolumeInformationFile(
    HANDLE filehandle,
    IO_STATUS_BLOCK *iostatusblock,
    void *fsinformation,
    DWORD length,
    FS_INFORMATION_CLASS fsinformationclass);
NTSTATUS WINAPI NtCancelIoFileEx(
    HANDLE filehandle,
    const IO_STATUS_BLOCK *iorequesttocancel,
    IO_STATUS_BLOCK *iostatusblock);
NTSTATUS WINAPI NtFlushBuffersFile(HANDLE filehandle, IO_STATUS_BLOCK *iostatusblock);
NTSTATUS WINAPI NtCreateFile(
    HANDLE *filehandle,
    DWORD desiredaccess,
    const OBJECT_ATTRIBUTES *objectattributes,
    IO_STATUS_BLOCK *iostatusblock,
    const LONGLONG *allocationsize,
    DWORD fileattributes,
    DWORD shareaccess,
    DWORD createdisposition,
    DWORD createoptions,
    const void *eabuffer,
    DWORD ealength);
NTSTATUS WINAPI NtOpenFile(
    HANDLE *filehandle,
    DWORD desiredaccess,
    const OBJECT_ATTRIBUTES *objectattributes,
    IO_STATUS_BLOCK *iostatusblock,
    DWORD shareaccess,
    DWORD openoptions);

/* Wdk::Storage::FileSystem */
NTSTATUS WINAPI NtCreateNamedPipeFile(
    HANDLE *filehandle,
    DWORD desiredaccess,
    const OBJECT_ATTRIBUTES *objectattributes,
    IO_STATUS_BLOCK *iostatusblock,
    DWORD shareaccess,
    DWORD createdisposition,
    DWORD createoptions,
    DWORD namedpipetype,
    DWORD readmode,
    DWORD completionmode,
    DWORD maximuminstances,
    DWORD inboundquota,
    DWORD outboundquota,
    const LONGLONG *defaulttimeout);

#ifdef UNICODE
#define CreateFile CreateFileW
#define FindFirstFile FindFirstFileW
#define FindNextFile FindNextFileW
#define GetFinalPathNameByHandle GetFinalPathNameByHandleW
#define GetFileAttributes GetFileAttributesW
#define CreateNamedPipe CreateNamedPipeW
#define WaitNamedPipe WaitNamedPipeW
#define CallNamedPipe CallNamedPipeW
#define GetNamedPipeHandleState GetNamedPipeHandleStateW
#define GetNamedPipeClientComputerName GetNamedPipeClientComputerNameW
#define CreateEvent CreateEventW
#define CreateEventEx CreateEventExW
#define OpenEvent OpenEventW
#define WIN32_FIND_DATA WIN32_FIND_DATAW
#else
#define CreateFile CreateFileA
#define FindFirstFile FindFirstFileA
#define FindNextFile FindNextFileA
#define GetFinalPathNameByHandle GetFinalPathNameByHandleA
#define GetFileAttributes GetFileAttributesA
#define CreateNamedPipe CreateNamedPipeA
#define WaitNamedPipe WaitNamedPipeA
#define CallNamedPipe CallNamedPipeA
#define GetNamedPipeHandleState GetNamedPipeHandleStateA
#define GetNamedPipeClientComputerName GetNamedPipeClientComputerNameA
#define CreateEvent CreateEventA
#define CreateEventEx CreateEventExA
#define OpenEvent OpenEventA
#define WIN32_FIND_DATA WIN32_FIND_DATAA
#endif
/* end functions */

#ifdef __cplusplus
}
#endif

#endif

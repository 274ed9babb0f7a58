#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""That a wrong envelope is noticed: replies that `call` takes, and each of them with one thing wrong."""
import sys

import calls
from scenario import Failure

JSON = [("Content-Type", "application/json")]
ERROR = '"error":{"code":"no_value","details":["x"]}'
HTTP = '{"success":true,"message":"Operation Successful","data":[1,2.50]}'
HTTP_FAILURE = '{"success":false,"message":"m","data":null,' + ERROR + "}"
SOCKET = '{"uid":null,"action":"call 1","data":[1,2.50],"id":1}'
SOCKET_FAILURE = '{"uid":null,"action":"call 1","data":null,"success":false,"message":"m",' + ERROR + ',"status":500,"id":1}'
ECHOED = {"uid": "null", "action": '"call 1"', "id": "1"}
# (reply, what is put in the place of what)
WRONG_HTTP = [
    (200, HTTP, "true", "false"), (200, HTTP, '"message":"Operation Successful",', ""), (200, HTTP, "Operation Successful", "Fine"),
    (200, HTTP, "{", '{"uid":null,'), (200, HTTP, "{", '{"data":1,'), (200, HTTP, HTTP, HTTP_FAILURE), (201, HTTP, "", ""), (500, HTTP, "", ""),
    (500, HTTP_FAILURE, "false", "true"), (500, HTTP_FAILURE, "null", "1"), (500, HTTP_FAILURE, '"m"', "null"), (500, HTTP_FAILURE, '"m"', '""'),
    (500, HTTP_FAILURE, "," + ERROR, ""), (500, HTTP_FAILURE, ',"details":["x"]', ""), (500, HTTP_FAILURE, '["x"]', '"x"'),
    (500, HTTP_FAILURE, '"no_value"', "7"), (500, HTTP_FAILURE, "{", '{"status":500,'), (200, HTTP_FAILURE, "", "")]
WRONG_SOCKET = [
    (SOCKET, '"uid":null,', ""), (SOCKET, "null", '"u"'), (SOCKET, "call 1", "call 2"), (SOCKET, ',"id":1', ""), (SOCKET, ',"id":1', ',"id":"1"'),
    (SOCKET, '"data"', '"date"'), (SOCKET, "{", '{"message":"m",'), (SOCKET, "{", '{"uid":null,'), (SOCKET_FAILURE, ',"status":500', ""),
    (SOCKET_FAILURE, "500", '"500"'), (SOCKET_FAILURE, "500", "200"), (SOCKET_FAILURE, '"message":"m",', ""), (SOCKET_FAILURE, "," + ERROR, ""),
    (SOCKET_FAILURE, '"data":null', '"data":1'), (SOCKET_FAILURE, "false", "true"), (SOCKET_FAILURE, ',"details":["x"]', "")]


def is_noticed(check, *arguments):
    try:
        check(*arguments)
    except (Failure, ValueError):
        return True
    return False


def main():
    calls.check_http(200, JSON, HTTP)
    calls.check_http(500, JSON, HTTP_FAILURE)
    assert calls.in_the_form_of_http(SOCKET, ECHOED) == (200, HTTP), calls.in_the_form_of_http(SOCKET, ECHOED)
    status, text = calls.in_the_form_of_http(SOCKET_FAILURE, ECHOED)
    assert status == 500 and calls.patterns.parse(text) == calls.patterns.parse(HTTP_FAILURE), text
    missed = [(status, text) for status, right, old, new in WRONG_HTTP
              if not is_noticed(calls.check_http, status, JSON, text := right.replace(old, new, 1))]
    missed += [text for right, old, new in WRONG_SOCKET if not is_noticed(calls.in_the_form_of_http, text := right.replace(old, new, 1), ECHOED)]
    missed += [headers for headers in ([], [("Content-Type", "text/html")]) if not is_noticed(calls.check_http, 200, headers, HTTP)]
    for one in missed:
        print("not noticed:", one)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

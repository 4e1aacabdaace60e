"""Stands in for the vendor: says in capitals what it is sent, to whoever has the key."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Vendor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        welcome = self.headers["Authorization"] == "Bearer opens-nothing"
        body = self.rfile.read(int(self.headers["Content-Length"])).upper() if welcome else b"who are you?"
        self.send_response(200 if welcome else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Vendor)
    print(f"serving on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()

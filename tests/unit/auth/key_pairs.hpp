// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// Key pairs as other software writes them (openssl, python3-cryptography): published ones, or made
// for these tests, and worth nothing. Tests only.
namespace sub0::auth {

/// The key of RFC 7515 appendix A.2, as PKCS #8.
inline const std::string kRsaPrivate =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"
    "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"
    "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"
    "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"
    "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"
    "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"
    "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"
    "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"
    "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"
    "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"
    "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"
    "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"
    "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"
    "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"
    "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"
    "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"
    "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"
    "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"
    "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"
    "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"
    "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"
    "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"
    "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"
    "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"
    "03k2+ZQwVK0JKSHuLFkuQ3U=\n"
    "-----END PRIVATE KEY-----\n";
inline const std::string kRsaPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
    "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
    "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
    "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
    "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
    "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
    "oQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kRsaPublicPkcs1 =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0l8W2\n"
    "6mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMs\n"
    "D1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5\n"
    "z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv\n"
    "b3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8q2et\n"
    "hFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";
/// The key of RFC 7515 appendix A.3, as PKCS #8 and SEC 1.
inline const std::string kEcPrivate =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";
inline const std::string kEcPrivateSec1 =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
    "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"
    "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
    "-----END EC PRIVATE KEY-----\n";
inline const std::string kEcPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
    "-----END PUBLIC KEY-----\n";
/// The private number of that key beside the public point of another.
inline const std::string kEcHalvesOfTwo =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
    "AwEHoUQDQgAEedhuMFmjPJmy0RZOucrKuqdRAAbCmspK+LLVqLPsaCCWepGOreg+\n"
    "DVZZkX2eQdTgiaI1RW/a5KdBbbAPC2qFFQ==\n"
    "-----END EC PRIVATE KEY-----\n";
/// Two further ones.
inline const std::string kOtherRsaPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsMp3xnZn7T94+Sv3Xkjd\n"
    "TnTVcw77t33Y3CVvl/wWo7FIXBHh4DFHoLsk5XBhTApfCO7rqi/OUI4izx/wkM2r\n"
    "zWgtg0oPSIRgpZV89KAXpWoz0gtRxI1EDpobG5h52UmfFP40TgWafBF6goCGMJCP\n"
    "OWWKMfwBKuyB+kgLM53/vYnPedMtzX9fV5ENqhNHYTzVMixmwT7/J/6jGkDa5XLf\n"
    "zjnzFSueGMqv90xYOOlnDQABGM+YhlLNq1vo1hHE1yOwbq47JBLLf+0yW2R9HapA\n"
    "A0Ratrga+S0iwIYyMtV8Aqe78IozpFIf8l5D9KUBqk+elWXx2AZd45RHYC5ezaNZ\n"
    "oQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kOtherEcPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEedhuMFmjPJmy0RZOucrKuqdRAAbC\n"
    "mspK+LLVqLPsaCCWepGOreg+DVZZkX2eQdTgiaI1RW/a5KdBbbAPC2qFFQ==\n"
    "-----END PUBLIC KEY-----\n";
/// For RSASSA-PSS alone.
inline const std::string kRsaPssPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAMsrl7FVZAxVTYJHttrMh0v4\n"
    "8ZiNecxYlch0VcmaclthmW8SMbKt2bVLKJUqZ7awvWa90Jo/KWkDrwNL4XYvgN6d\n"
    "dVO83lGe0cBt5j4PWUmw8xQXg7aOqH5flGxhb33rOVf6uAsv6EuRH9Qc5IXx4zH+\n"
    "RL/3Dpp9tCrXMohS47V7EuVCwGEEjs6cR202v5XEzCuCCbxk/J0VZ02c4xbzfq4I\n"
    "HEnJK7sIwqtVZxlCjbjjsyUUD3/rzknyiyvH87oiqkZfm4Whl40XQ/2Jx3iwDL3f\n"
    "UGSnFawh+W7pboEex5RVhaO0+WJLuHId0GiU8WYbQvsdRsL6S1Mf6kAYqQxrDX8C\n"
    "AwEAAQ==\n"
    "-----END PUBLIC KEY-----\n";
/// An RSA modulus of 9000 bits.
inline const std::string kRsa9000Public =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIEhzANBgkqhkiG9w0BAQEFAAOCBHQAMIIEbwKCBGYAgMhREhq+gJWXPJvcG0Rg\n"
    "ifMknPdOC2RmC2HXO8rgNQ9NWcfKzEZMUyWIeUr9ZTrQ3dypcYqKHhfxBUSHJTXD\n"
    "HgqSr1i2M/MlLGvvn05k1leBHY35IAfROscvFSpAcIDVi6tsraUyMIMWP57+JkAC\n"
    "gxNQpLE1tAMxgrQHuqYVVVn8PBF4Z6x/tsxHFzRzbZ/3JL3jet6F/ibaR3cKQF7I\n"
    "01a24A5OwY4Brr4APDNcZpDi18SfEPAK+G4NYZhY7wx425GW4lE7+YX7zabtoqNZ\n"
    "sQRqe0rg0ZnuKOSDFG8pYN8t5b/GeQB1CocvOKOUVvJe2KeA+iqW/moW183fqlPP\n"
    "uHzKMFUmR4+IqPw5z1y+woI+piavSRcakmkfrjKpw26lcvomj9QxwK/Nd8i+uXFV\n"
    "U6nMfMxJBu44o+nFCxDX3qFAE70gnn1TRhw3n1G/HAwBrL/WfhV8PUbns6ZM5AC8\n"
    "jwjGMT4NWnMaj7olnjfXzKYK56Mcs5ngOmF3nctYUuzEvlEW0UgpbeDly/xHtaOk\n"
    "lF96rqcPM2LWiqZaROhTGMvaVgRr/cnNmyo+x1XbQZgIzbH4xYd5x+yBmQleiszD\n"
    "7uxkldPx57DM3Wxi+cGINBsWTh43j9Bdx7QMrnvilS+jCjBUDHXcEDT4PquMSoLZ\n"
    "M04v1IQFEClcagggNg9Hf78pUU+YrtKH3Vm70nE37aUMo4PzJXenI6zXsXxzme8U\n"
    "YuaGKV51cDe4JYmldYYxqzShJqJ9KN0/2y6cn+8KHSl9Vn5/K8ohp4L3zLCdPgS4\n"
    "yXDaNFTTK22d7nIfXFj04hwkCvoGwQZr6Orznb7I61eLPaXzpldanQX3zeOzsI/2\n"
    "GbNWU8ej+G4ZW0g7Z8hwXAclkFHZ1urXvi3NdTFHMyrDwObDPcARj7Gt65mzAx1e\n"
    "a0bZc4SSYWUCkVK1ZtCRX42dbvnHDD5v4TsE7lsdc8YFCKAGf5Zn/lx/omYoASJJ\n"
    "HHyI9WfYFZwi5L6PnhlXRm6zhGDm+xiVLu/lzH0SLC5WACv/kXy7P2Yr3OEyQcsg\n"
    "bSxcS7s2wToFdjfWHl+rTOnPdJe1W/bV9zBSrzAf+UPl9I+7EcQl5qPuiE7mnQ3V\n"
    "rmpb3GFxwV8gMWWhE2ce8qqGy92LdkNNMWX32hXBBIpe0hBtYbfXynYK97U0ipag\n"
    "49O8YbU8m3BM6rjcxG8xSNr25wcDmACQeEcVT4Y8iGIBSo9r2ycEiwMTItWMkVCF\n"
    "tpuh1T7VXkDHiABgCHbN5GHRukwk36vWg1V0UKhFWgs2fppJNiccIu5po5zA1qDq\n"
    "v2GO1/cPuaE3+myW9MSB/pj3v5uVDt6nw0Y1ivEdbwDjIu6x9oJD3BOkPkZNhNP9\n"
    "xzAB9UrBAzGGypM4ZZlqchX42BueKZw9+ZJX2jZblL1y/KYhJjJUIrkIScpT917T\n"
    "Rcyu9Yb1namaXAVLS4JcpyY0tNefaG+truzFA2WfN6YCAj3mUbZaqXXpnmhM1S90\n"
    "jD4OZdMDAgMBAAE=\n"
    "-----END PUBLIC KEY-----\n";
/// Under a password: PKCS #8, and the older form.
inline const std::string kEcEncrypted =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAheKLCM3ZxTlQICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEB6kKYl0Qfnk7S7wQ32uz8EEgZAU\n"
    "ddEiApzsxzX9gxKJCn0GaGHMCY4J7+x0CnCixwbKZU466+tkfEnNO/zv54n2N+45\n"
    "JrUizNMUDvNGf+WBLjrOd+Sunghjz6yTCPioSj9wyc9+xPcNleqazVwW2/zxEz+7\n"
    "Hddi0dGDNMWITaeTcsyh1VPvratk/92FG1BlZ626h09/JHarWJmJNZ6nx1V4KR4=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
inline const std::string kEcEncryptedOld =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-128-CBC,2B178129D0395FF85EACE6C2F88F70B5\n"
    "\n"
    "78abKUhOFWLdlzDAQkEm1YloXncEBuDFquYZ9AWPU0t0B+guM5W0xxq2iAfH1NxL\n"
    "JegmtoNfKkKJKDh2rPXwEVjG9gqYO5arGrGhR2rJc8yOEDT6RpVwvgK5QgEkJX2v\n"
    "32Fl2ubjUAOVnnm/t+om8JRCtTf+qeDrvjrmljpe8Ug=\n"
    "-----END EC PRIVATE KEY-----\n";
inline const std::string kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbTCCAROgAwIBAgIUODTfTYuoMaIWCZIBlVq5r1xNiMowCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBeDAeFw0yNjExMjkyMDE4MzlaFw0zNjExMjYyMDE4MzlaMAwx\n"
    "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR52G4wWaM8mbLR\n"
    "Fk65ysq6p1EABsKaykr4stWos+xoIJZ6kY6t6D4NVlmRfZ5B1OCJojVFb9rkp0Ft\n"
    "sA8LaoUVo1MwUTAdBgNVHQ4EFgQUf9z8E8q2PQORxPrLOiM/41On0VAwHwYDVR0j\n"
    "BBgwFoAUf9z8E8q2PQORxPrLOiM/41On0VAwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"
    "hkjOPQQDAgNIADBFAiA0XyJn7ycXqs+1r7wI5NdioecgawIZEfsb0+KEqHksWAIh\n"
    "AOqwEWWijy/kmpv5lir/FQpNZCwm9rhj8G2/mfipYyJ+\n"
    "-----END CERTIFICATE-----\n";
/// P-256 by its numbers instead of its name.
inline const std::string kEcExplicit =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIIBaAIBAQQgTW6+A247N8hJ0V2+DKI1cYoqR4BaxcfKWKbLYjEo9/2ggfowgfcC\n"
    "AQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////\n"
    "MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57Pr\n"
    "vVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEE\n"
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54W\n"
    "K84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8\n"
    "YyVRAgEBoUQDQgAEocF6Xqxd4Xrp1107+R6o+057XdxcR7RtdeedFv/Y6Wrlj3Ks\n"
    "wr8JmS4kk48bnbtSaqFoFkwjiK7BcCyU3XQEYQ==\n"
    "-----END EC PRIVATE KEY-----\n";

}  // namespace sub0::auth

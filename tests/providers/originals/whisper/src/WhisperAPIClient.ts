import axios from 'axios';
import FormData from 'form-data';
import * as fs from 'fs';

export interface WhisperRequest {
  audioFilePath: string;
  language?: string;
  task?: 'transcribe' | 'translate';
}

export class WhisperAPIClient {
  constructor(private baseUrl: string) {}

  async transcribeAudio(request: WhisperRequest) {
    const form = new FormData();
    form.append('audio_file', fs.createReadStream(request.audioFilePath), { filename: 'audio.wav' });
    const response = await axios.post(`${this.baseUrl}/asr`, form, {
      headers: form.getHeaders(),
      params: { output: 'json', task: request.task || 'transcribe', language: request.language },
    });
    return { text: response.data.text, segments: response.data.segments, language: response.data.language };
  }
}
